"""The numbers of the field, exactly defined."""
