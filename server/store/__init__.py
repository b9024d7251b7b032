"""Disk: tables, migrations, the one writer, and the reads that everything else stands on."""
