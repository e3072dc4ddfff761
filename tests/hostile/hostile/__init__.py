"""A story whose data are written by somebody who means harm."""
