"""Networks that look at clips, from their papers, with published weights given as files."""
