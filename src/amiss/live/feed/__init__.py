"""From a camera to frames: a process each that connects and decodes, and shared memory to the one that scores."""
