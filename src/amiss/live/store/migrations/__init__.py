"""The steps by which a database of an older version comes to the tables of this one."""
