"""The pure floor: values, declarations, merge and admission. No I/O, no clock, no framework."""
