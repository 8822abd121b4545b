"""The pages and calls, a module for each kind."""
