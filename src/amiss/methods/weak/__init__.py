"""What methods share that learn from the labels of whole videos."""
