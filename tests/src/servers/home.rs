//! The folder and the processes of one server.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A temporary folder, and the processes that work in it. Each process leads a group of its own, and a shell keeps the list
/// of groups: when the test ends without having said so (killed, aborted, timed out), the shell's input ends, and it kills
/// the groups and removes the folder. Whoever starts a server must see to it that the server does not leave its group.
pub(crate) struct Home {
    folder: PathBuf,
    processes: BTreeMap<String, Process>,
    keeper: Child,
    control: Option<ChildStdin>,
}

struct Process {
    child: Child,
    /// How long the log of its name was when it started.
    logged: usize,
}

impl Home {
    /// Makes the folder. Others may pass through it, because some servers run as users of their own.
    pub(crate) fn new(server: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix(&format!("countersign-{server}-"))
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell runs");
        let control = keeper.stdin.take();
        Self { folder, processes: BTreeMap::new(), keeper, control }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a folder inside.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        let _ = std::fs::remove_file(&path);
        let mut file = File::create_new(&path).expect("a new file");
        file.set_permissions(Permissions::from_mode(0o600)).expect("the owner may change the mode");
        file.write_all(content.as_bytes()).expect("a written file");
        path
    }

    /// Starts a process under a name; what it prints goes to the log of that name.
    pub(crate) fn start(&mut self, name: &str, mut command: Command) {
        let logged = self.log(name).len();
        let log = self.path(&format!("{name}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let child = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        self.tell_keeper(&format!("+{}", child.id()));
        let process = Process { child, logged };
        assert!(self.processes.insert(name.to_owned(), process).is_none(), "{name} runs already");
    }

    /// Waits until `probe` says yes to what the process printed since its start; a process that ended meanwhile, or `limit`,
    /// is a panic with the log.
    pub(crate) fn wait_until(&mut self, name: &str, limit: Duration, mut probe: impl FnMut(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let process = self.processes.get_mut(name).expect("it was started");
            let (logged, ended) = (process.logged, process.child.try_wait().expect("a child of ours"));
            if probe(self.log(name).get(logged..).unwrap_or_default()) {
                return;
            }
            assert!(ended.is_none(), "{name} ended with {ended:?}:\n{}", self.log(name));
            assert!(begun.elapsed() < limit, "{name} is not ready after {limit:?}:\n{}", self.log(name));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal to one process and waits for its end.
    pub(crate) fn stop(&mut self, name: &str, signal: Signal, limit: Duration) -> ExitStatus {
        self.signal(name, signal);
        let child = &mut self.processes.get_mut(name).expect("it was started").child;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(begun.elapsed() < limit, "{name} does not stop within {limit:?}");
            std::thread::sleep(Duration::from_millis(20));
        };
        self.kill(name);
        status
    }

    /// Sends a signal to one process.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let process = self.processes.get(name).expect("it was started");
        kill_process(pid(&process.child), signal).expect("a child of ours");
    }

    /// Sends SIGKILL to a process and to its children, which may have groups of their own, all at one moment.
    pub(crate) fn kill_family(&mut self, name: &str) {
        let Some(Process { child, .. }) = self.processes.get(name) else { return };
        kill_process(pid(child), Signal::STOP).expect("a child of ours");
        let list = format!("/proc/{0}/task/{0}/children", child.id());
        let children: Vec<_> = std::fs::read_to_string(list)
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|id| Pid::from_raw(id.parse().ok()?))
            .collect();
        self.kill(name);
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        // PostgreSQL does not start while a process of its predecessor is attached to the shared memory.
        children.into_iter().for_each(await_end);
    }

    /// Sends SIGKILL to a process and whatever it left in its group. One that does not run is left alone.
    pub(crate) fn kill(&mut self, name: &str) {
        let Some(Process { mut child, .. }) = self.processes.remove(name) else { return };
        // Before the leader is waited for, so that its id cannot be anyone else's yet.
        let _ = kill_process_group(pid(&child), Signal::KILL);
        let _ = child.wait();
        self.tell_keeper(&format!("-{}", child.id()));
    }

    /// Whether a process of this name was started and not ended by us.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.processes.contains_key(name)
    }

    /// What a process printed.
    pub(crate) fn log(&self, name: &str) -> String {
        let bytes = std::fs::read(self.path(&format!("{name}.log"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn tell_keeper(&mut self, line: &str) {
        let control = self.control.as_mut().expect("open until the end");
        writeln!(control, "{line}").expect("the keeper listens");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let names: Vec<_> = self.processes.keys().cloned().collect();
        for name in &names {
            if std::thread::panicking() {
                eprintln!("--- {name} said at last:\n{}", last_lines(&self.log(name)));
            }
            self.kill(name);
        }
        drop(self.control.take());
        let _ = self.keeper.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Waits until a process that is no child of ours, and was sent SIGKILL, is gone or nobody's but its parent's to bury.
fn await_end(process: Pid) {
    let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
    let begun = Instant::now();
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{stat} stays");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// A folder that others own, as `chown`.
pub(crate) fn give(folder: &Path, user: &str) {
    crate::tools::run("chown", ["-R", user, &folder.to_string_lossy()]);
}

/// Reads groups to keep (`+`) and to forget (`-`), and ends what is left when its input ends. A server that dies hard may
/// still write for a moment, so the folder is removed until it is gone.
const KEEPER: &str = r#"
kept=" "
while read -r line; do
    group=${line#[+-]}
    case $line in
    +*) kept="$kept$group " ;;
    -*) kept="${kept%% $group *} ${kept#* $group }" ;;
    esac
done
for group in $kept; do kill -s KILL -- "-$group"; done 2>/dev/null
for attempt in 1 2 3 4 5; do
    rm -rf -- "$1" 2>/dev/null && exit
    sleep 0.2
done
"#;

/// How much of a log a failed test shows.
const LAST_LINES: usize = 40;
