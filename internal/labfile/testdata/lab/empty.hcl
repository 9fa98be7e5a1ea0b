# ERROR: There is nothing in this file.
