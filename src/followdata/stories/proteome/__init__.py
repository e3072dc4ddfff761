"""What the proteins of a tumour tell: from messy tables to subtypes, messages and factors."""
