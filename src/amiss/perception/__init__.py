"""What is seen in a frame: boxes, tracks, flow and features, each a stage with its own state."""
