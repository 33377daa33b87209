"""The pipeline: one module a stage, the wrapper around each stage, the driver of the graph, and the typed settings."""
