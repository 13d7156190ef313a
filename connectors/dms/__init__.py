"""The connector of document management systems that exchange ``.edxml`` files by folders."""
