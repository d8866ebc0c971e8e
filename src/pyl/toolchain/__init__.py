"""The compilers behind native packages, Nuitka and zig, and a reader of ELF files."""
