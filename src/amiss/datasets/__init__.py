"""The field's benchmarks, one file each, in their official and their community layouts."""
