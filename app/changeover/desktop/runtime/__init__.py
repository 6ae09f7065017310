"""What Qt and asyncio need to live in one process: supervised tasks, garbage collected in Qt's thread."""
