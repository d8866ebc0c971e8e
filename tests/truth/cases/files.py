"""Files outside the package, present or not; and what the import writes below /tmp."""

from __future__ import annotations

import functools

from truth.case import Case, alone, at_import, in_call, in_warm_up, prepared

_CONFIG = {"/opt/config.json": '{"table": "layer"}'}
_LAYER_MODULE = {"/opt/python/layered.py": 'VALUE = "layer"\n'}
_LAYER = """
import sys

sys.path.append("/opt/python")
try:
    import layered
    VALUE = layered.VALUE
except ImportError:
    VALUE = "none"

def handler(event, context):
    return VALUE
"""
_EFS = {"/mnt/efs/model.txt": "weights"}
_LOAD_CONFIG = """
import json, pathlib

file = pathlib.Path("/opt/config.json")
CONFIG = json.loads(file.read_text()) if file.exists() else {}

def handler(event, context):
    return CONFIG
"""


_tmp = functools.partial(prepared, imports="os, pathlib, stat")
"""Returns a case that changes /tmp at import and looks at it in the call."""

_OUTSIDE = (
    Case("opt_config", _LOAD_CONFIG, files=_CONFIG, is_chosen=True),
    at_import("opt_exists", 'os.path.exists("/opt/config.json")', files=_CONFIG),
    at_import("opt_isfile", 'os.path.isfile("/opt/config.json")', files=_CONFIG),
    at_import("opt_stat", "os.path.isdir('/opt/extensions')", files={"/opt/extensions/agent": "#!/bin/sh\n"}),
    at_import("opt_access", 'os.access("/opt/config.json", os.R_OK)', files=_CONFIG),
    at_import("opt_listdir", 'sorted(os.listdir("/opt"))', files=_CONFIG, is_chosen=True),
    at_import("opt_scandir", 'sorted(e.name for e in os.scandir("/opt"))', files=_CONFIG),
    at_import("opt_glob", 'glob.glob("/opt/*.json")', imports="glob", files=_CONFIG),
    at_import(
        "opt_pathlib_glob", 'sorted(str(p) for p in pathlib.Path("/opt").rglob("*"))', imports="pathlib", files=_CONFIG
    ),
    at_import("opt_walk", 'sorted(n for _, _, names in os.walk("/opt") for n in names)', files=_CONFIG),
    at_import("opt_realpath", 'os.path.realpath("/opt/config.json")', files=_CONFIG),
    at_import(
        "opt_extension",
        '[os.path.exists("/opt/extensions/" + x) for x in ("datadog-agent", "x")]',
        files={"/opt/extensions/datadog-agent": "x"},
        is_chosen=True,
    ),
    at_import("opt_which", 'shutil.which("tool")', imports="shutil", files={"/opt/bin/tool": "#!/bin/sh\n"}),
    at_import("opt_child", 'os.popen("cat /opt/config.json 2>/dev/null").read()', files=_CONFIG),
    at_import("opt_c_access", 'ctypes.CDLL(None).access(b"/opt/config.json", 4)', imports="ctypes", files=_CONFIG),
    at_import(
        "opt_configparser",
        'len(configparser.ConfigParser().read("/opt/settings.ini"))',
        imports="configparser",
        files={"/opt/settings.ini": "[a]\nb = 1\n"},
    ),
    at_import("opt_size", 'sum(os.path.getsize(p) for p in ("/opt/config.json",) if os.path.exists(p))', files=_CONFIG),
    Case("opt_module", _LAYER, files=_LAYER_MODULE, is_chosen=True),
    at_import(
        "opt_find_spec",
        'importlib.util.find_spec("layered") is not None',
        imports='importlib.util, sys\nsys.path.insert(0, "/opt/python")',
        files=_LAYER_MODULE,
    ),
    in_warm_up("opt_exists_in_warm_up", 'os.path.exists("/opt/config.json")', files=_CONFIG, is_chosen=True),
    in_warm_up(
        "opt_open_in_warm_up",
        'sum(len(open(p).read()) for p in glob.glob("/opt/*.json"))',
        imports="glob",
        files=_CONFIG,
    ),
    at_import("efs_exists", 'os.path.isdir("/mnt/efs")', files=_EFS, is_chosen=True),
    at_import(
        "efs_read", '[p.read_text() for p in pathlib.Path("/mnt").glob("efs/*.txt")]', imports="pathlib", files=_EFS
    ),
    at_import("efs_mount", 'os.path.ismount("/mnt/efs")', files=_EFS),
    in_call("opt_in_call", 'os.path.exists("/opt/config.json")', files=_CONFIG),
    at_import("root_listing", 'sorted(os.listdir("/"))'),
    at_import("etc_release", 'open("/etc/os-release").read()'),
    at_import("etc_system_release", 'os.path.exists("/etc/system-release")'),
    at_import("etc_hosts", 'open("/etc/hosts").read()'),
    at_import("etc_missing", 'os.path.exists("/etc/ssl/openssl.cnf")'),
    at_import("etc_passwd", 'open("/etc/passwd").read()'),
    at_import("mime_type", 'mimetypes.guess_type("x.json")[0]', imports="mimetypes", must_be_full=True),
    at_import("mime_files", "[f for f in mimetypes.knownfiles if os.path.exists(f)]", imports="mimetypes, os"),
    at_import("zone_missing", "zoneinfo.available_timezones() - {'localtime'} == set()", imports="zoneinfo"),
    at_import("shared_memory_folder", 'os.path.isdir("/dev/shm")', is_chosen=True),
    at_import("shell", 'os.path.exists("/bin/sh")'),
    at_import("which_sh", 'shutil.which("sh")', imports="shutil"),
    at_import("proc_exists", '[os.path.exists(p) for p in ("/proc/self/maps", "/sys", "/var/runtime", "/home")]'),
    at_import("home_folder_exists", 'os.path.exists(os.path.expanduser("~"))'),
    at_import("cgroup", 'os.path.exists("/sys/fs/cgroup")'),
    at_import("package_listing", 'sorted(os.listdir("/var/task"))', must_be_full=True),
    at_import("package_source", "open(__file__).read()[:9]", must_be_full=True),
    at_import("package_missing", 'os.path.exists("/var/task/missing.json")', must_be_full=True),
)
_TEMPORARY = (
    _tmp("tmp_mkdir", 'pathlib.Path("/tmp/cache").mkdir()', 'os.path.isdir("/tmp/cache")', is_chosen=True),
    _tmp("tmp_makedirs", 'os.makedirs("/tmp/a/b/c", exist_ok=True)', 'sorted(x[0] for x in os.walk("/tmp"))'),
    _tmp("tmp_file", 'pathlib.Path("/tmp/x.txt").write_text("content")', 'open("/tmp/x.txt").read()', is_chosen=True),
    _tmp(
        "tmp_file_in_folder",
        'os.mkdir("/tmp/d")\npathlib.Path("/tmp/d/x").write_bytes(b"x" * 9000)',
        'os.path.getsize("/tmp/d/x")',
    ),
    _tmp("tmp_append", 'with open("/tmp/log", "a") as file:\n    file.write("line")', 'open("/tmp/log").read()'),
    _tmp("tmp_symlink", 'os.symlink("/var/task", "/tmp/link")', 'os.readlink("/tmp/link")'),
    _tmp(
        "tmp_hard_link",
        'pathlib.Path("/tmp/a").write_text("a")\nos.link("/tmp/a", "/tmp/b")',
        '[os.stat("/tmp/b").st_nlink, os.path.samefile("/tmp/a", "/tmp/b")]',
    ),
    _tmp(
        "tmp_mode",
        'pathlib.Path("/tmp/m").write_text("m")\nos.chmod("/tmp/m", 0o640)',
        'stat.filemode(os.stat("/tmp/m").st_mode)',
    ),
    _tmp(
        "tmp_executable",
        'pathlib.Path("/tmp/run").write_text("#!/bin/sh\\necho ran\\n")\nos.chmod("/tmp/run", 0o755)',
        'os.popen("/tmp/run").read()',
    ),
    _tmp(
        "tmp_time",
        'pathlib.Path("/tmp/t").write_text("t")\nos.utime("/tmp/t", (1000, 1000))',
        'os.stat("/tmp/t").st_mtime',
    ),
    _tmp("tmp_fifo", 'os.mkfifo("/tmp/pipe")', 'stat.S_ISFIFO(os.stat("/tmp/pipe").st_mode)'),
    _tmp("tmp_sparse", 'with open("/tmp/s", "wb") as file:\n    file.truncate(1 << 20)', 'os.path.getsize("/tmp/s")'),
    _tmp("tmp_unlinked", 'pathlib.Path("/tmp/u").write_text("u")\nos.unlink("/tmp/u")', 'os.path.exists("/tmp/u")'),
    _tmp("tmp_child", 'os.popen("echo child > /tmp/c").read()', 'open("/tmp/c").read()'),
    _tmp(
        "tmp_mkdtemp",
        "FOLDER = tempfile.mkdtemp()",
        "[os.path.isdir(FOLDER), tempfile.gettempdir()]",
        imports="os, tempfile",
        is_chosen=True,
    ),
    _tmp(
        "tmp_mkstemp",
        "NUMBER, PATH = tempfile.mkstemp()\nos.close(NUMBER)",
        "os.path.getsize(PATH)",
        imports="os, tempfile",
    ),
    _tmp(
        "tmp_mkstemp_open",
        "NUMBER, PATH = tempfile.mkstemp()",
        '[os.write(NUMBER, b"abc"), os.path.getsize(PATH)]',
        imports="os, tempfile",
    ),
    _tmp(
        "tmp_temporary_directory",
        "FOLDER = tempfile.TemporaryDirectory()",
        "os.listdir(FOLDER.name)",
        imports="os, tempfile",
        is_chosen=True,
    ),
    _tmp(
        "tmp_named_file",
        'FILE = tempfile.NamedTemporaryFile()\nFILE.write(b"x")\nFILE.flush()',
        "open(FILE.name).read()",
        imports="tempfile",
    ),
    _tmp(
        "tmp_unnamed_file",
        'FILE = tempfile.TemporaryFile()\nFILE.write(b"x")\nFILE.flush()',
        "[FILE.seek(0), FILE.read().decode()]",
        imports="tempfile",
    ),
    _tmp(
        "tmp_spooled_file",
        'FILE = tempfile.SpooledTemporaryFile()\nFILE.write(b"x")',
        "[FILE.seek(0), FILE.read().decode()]",
        imports="tempfile",
    ),
    _tmp("tmp_gettempdir", "FOLDER = tempfile.gettempdir()", "FOLDER", imports="tempfile"),
    alone(_tmp("tmp_current_folder", 'os.mkdir("/tmp/work")\nos.chdir("/tmp/work")', "os.getcwd()")),
    _tmp(
        "tmp_sqlite",
        'C = sqlite3.connect("/tmp/db")\nC.execute("create table t (a)")\nC.commit()\nC.close()',
        'sqlite3.connect("/tmp/db").execute("select count(*) from t").fetchone()',
        imports="sqlite3",
    ),
    _tmp(
        "tmp_shelve",
        'with dbm.dumb.open("/tmp/shelf", "c") as db:\n    db["a"] = "b"',
        'dbm.dumb.open("/tmp/shelf")["a"].decode()',
        imports="dbm.dumb",
    ),
    alone(
        _tmp(
            "tmp_zip",
            'with zipfile.ZipFile("/tmp/z.zip", "w") as z:\n    z.writestr("m.py", "V = 1")\n'
            'sys.path.append("/tmp/z.zip")',
            '__import__("m").V',
            imports="sys, zipfile",
        )
    ),
    _tmp("tmp_listing", "NAMES = os.listdir('/tmp')", "NAMES"),
    alone(
        _tmp(
            "tmp_xdg",
            'os.makedirs(os.environ.setdefault("XDG_CACHE_HOME", "/tmp/cache"), exist_ok=True)',
            'os.path.isdir(os.environ["XDG_CACHE_HOME"])',
            imports="os",
        )
    ),
    in_warm_up(
        "tmp_file_in_warm_up",
        'pathlib.Path("/tmp/warm").write_text("x") and os.path.exists("/tmp/warm")',
        imports="os, pathlib",
    ),
    Case(
        "tmp_cache_in_warm_up",
        "import functools, pathlib\n\n@functools.cache\ndef path():\n"
        '    file = pathlib.Path("/tmp/cached")\n    file.write_text("x")\n    return file\n\n'
        "def handler(event, context):\n    return path().read_text()\n",
        warm_up=True,
        is_chosen=True,
    ),
    _tmp("tmp_var_tmp", 'WRITABLE = os.access("/var/tmp", os.W_OK)', "WRITABLE"),
)

CASES = (*_OUTSIDE, *_TEMPORARY)
