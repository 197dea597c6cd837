//! `countersign audit export`: the trail as the log files that CloudTrail delivers.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use countersign_domain::{Scope, TrailRecord, UnixMillis};
use countersign_ports::Clock;
use countersign_ports::trail::{PAGE_MAX, Position, TrailFilter};
use countersign_runtime::{Environment, SystemClock, files, random};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::data_dir::DataDirArg;
use crate::exit::Exit;
use crate::{local, output};

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The folder, made if need be; what was exported before may have been moved away
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    data_dir: DataDirArg,
}

const HELP: &str = "\
Writes ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_RANDOM.json.gz with up to 1000
records each, and prints their names. Each record is exported once: the folder
remembers how far it went in .countersign-export.json. No file is overwritten.

Exit codes: 0 done, also where there is nothing new; 2 it could not run.

Example:
  countersign audit export ./cloudtrail";

pub(crate) async fn run(args: Args, environment: &Environment) -> anyhow::Result<Exit> {
    let (scope, trail) = local::trail(&args.data_dir.chosen(), environment).await?;
    let folder = Folder::open(&args.folder)?;
    let mut after = folder.position()?;
    let end = trail.newest(&TrailFilter::default(), 0).await?.next;
    if after > end {
        let folder = args.folder.display();
        bail!("{folder} holds another trail: it went as far as {after}, and this one ends at {end}");
    }
    let mut files = 0;
    // What is recorded meanwhile is for the next export, or this one might never end.
    while after < end {
        let page = trail.page(&TrailFilter::default(), after, PAGE_MAX).await?;
        let records: Vec<&TrailRecord> = page.records.iter().map(|(_, record)| record).collect();
        if !records.is_empty() {
            output::result(&folder.deliver(&scope, &records, after, page.next)?)?;
            files += 1;
        }
        after = page.next;
    }
    if files == 0 {
        output::complain("there is nothing new to export");
    }
    Ok(Exit::Success)
}

/// Where log files are delivered to, by one process at a time.
struct Folder {
    path: PathBuf,
    _lock: File,
}

/// How far an export went.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Progress {
    after: Position,
    /// The file that was being delivered; if it is there, it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivering: Option<Delivering>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Delivering {
    file: String,
    next: Position,
}

/// A log file's content.
#[derive(Serialize)]
struct LogFile<'r> {
    #[serde(rename = "Records")]
    records: &'r [&'r TrailRecord],
}

impl Folder {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("cannot export to {}", path.display());
        fs::create_dir_all(path).with_context(unusable)?;
        let lock = File::options().create(true).append(true).open(path.join(LOCK)).with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => bail!("another process exports to {}", path.display()),
            Err(fs::TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.sweep().with_context(unusable)?;
        Ok(folder)
    }

    /// How far the last export went.
    fn position(&self) -> anyhow::Result<Position> {
        let path = self.path.join(PROGRESS);
        let Some(text) = files::read_if_there(&path)? else { return Ok(Position::START) };
        let progress: Progress = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        match progress.delivering {
            Some(delivering) if self.path.join(&delivering.file).try_exists()? => Ok(delivering.next),
            Some(_) | None => Ok(progress.after),
        }
    }

    /// Writes the records after one place up to another into a file of their own, whose name is given.
    fn deliver(
        &self,
        scope: &Scope,
        records: &[&TrailRecord],
        after: Position,
        next: Position,
    ) -> anyhow::Result<String> {
        let unique = random::text(16, random::LETTERS_AND_DIGITS)?;
        let file = file_name(scope, SystemClock.now(), &unique);
        let delivering = Some(Delivering { file: file.clone(), next });
        self.remember(&Progress { after, delivering })?;
        // CRASH: the file is there or not, and the next export looks.
        self.write(&file, records).with_context(|| format!("cannot write {file}"))?;
        self.remember(&Progress { after: next, delivering: None })?;
        Ok(file)
    }

    fn remember(&self, progress: &Progress) -> anyhow::Result<()> {
        Ok(files::write(&self.path.join(PROGRESS), 0o600, &serde_json::to_vec(progress)?)?)
    }

    fn write(&self, file: &str, records: &[&TrailRecord]) -> anyhow::Result<()> {
        let written = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.path)?;
        let mut packed = GzEncoder::new(BufWriter::new(written), Compression::default());
        serde_json::to_writer(&mut packed, &LogFile { records })?;
        let written = packed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        written.as_file().sync_all()?;
        written.persist_noclobber(self.path.join(file))?;
        Ok(files::sync_folder(&self.path)?)
    }

    /// Removes what an export left that was killed.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// CloudTrail User Guide, "CloudTrail log file name format".
fn file_name(scope: &Scope, now: UnixMillis, unique: &str) -> String {
    let minute: String = now.to_string().chars().take(16).filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{}_CloudTrail_{}_{minute}Z_{unique}.json.gz", scope.account(), scope.region())
}

const PROGRESS: &str = ".countersign-export.json";
const LOCK: &str = ".countersign-export.lock";
const UNFINISHED: &str = ".countersign-unfinished-";

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn scope() -> Scope {
        Scope::new("eu-central-1", "123456789012").unwrap()
    }

    #[test]
    fn a_file_is_named_as_cloudtrail_names_it() {
        let now = "2026-11-21T08:30:59.999Z".parse().unwrap();
        assert_eq!(
            file_name(&scope(), now, "aBcDeFgHiJkLmNoP"),
            "123456789012_CloudTrail_eu-central-1_20261121T0830Z_aBcDeFgHiJkLmNoP.json.gz"
        );
    }

    #[test]
    fn an_export_goes_on_where_the_last_one_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs");
        let (first, second) = (Position::new(7), Position::new(9));
        let folder = Folder::open(&path).unwrap();
        assert_eq!(folder.position().unwrap(), Position::START);
        assert!(Folder::open(&path).is_err(), "one at a time");
        let file = folder.deliver(&scope(), &[], Position::START, first).unwrap();
        assert_eq!(folder.position().unwrap(), first);
        let unpacked: serde_json::Value =
            serde_json::from_reader(GzDecoder::new(File::open(path.join(&file)).unwrap())).unwrap();
        assert_eq!(unpacked, serde_json::json!({"Records": []}));
        // Killed before the file was there, and after it was.
        for (name, position) in [("missing.json.gz".to_owned(), first), (file.clone(), second)] {
            let delivering = Some(Delivering { file: name, next: second });
            folder.remember(&Progress { after: first, delivering }).unwrap();
            assert_eq!(folder.position().unwrap(), position);
        }
        assert!(folder.write(&file, &[]).is_err(), "nothing is overwritten");
        drop(folder);
        let left = fs::read_dir(&path)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(UNFINISHED));
        assert_eq!(left.count(), 0);
    }
}
