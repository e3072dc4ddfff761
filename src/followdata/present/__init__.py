"""An Answer as JSON, CSV, terminal text, HTML and pictures."""
