"""Questions: core results given meaning, as sentences, tables, views and notes."""
