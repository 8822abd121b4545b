"""One file a step, the number first; a step that was released is never changed."""
