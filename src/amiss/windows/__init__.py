"""What methods score: cut from what was seen, and kept on disk."""
