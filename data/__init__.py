"""What a set of faces is, where faces come from, and how their pictures are prepared."""
