"""The runtime inside of Lambda: from the Runtime API to the handler and back.

Modules import only modules that come earlier in this list, lazily or for typing too:

- `errors`: error reports in Lambda's format;
- `import_hooks`: actions after the import of a module;
- `logging`: the function's log;
- `handlers`: from a handler's name to a callable with a converted event;
- `loop`: the Runtime API, in Python and in C;
- `restore`: capture of a process image, and what a restored process does before it serves;
- `bootstrap`, `native`, `__main__`: the entry points of the packages.
"""
