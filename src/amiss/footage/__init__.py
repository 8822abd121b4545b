"""Where frames come from: video files, folders of frames, and the synthetic world."""
