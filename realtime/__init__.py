"""The realtime program: finds faces, recognises their expression, lays the expression's emoji over them.

Copied whole into `emoji_cam.pyz`: needs numpy, opencv and onnxruntime, and nothing else of this project.
"""
