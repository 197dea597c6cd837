//! The inputs that fuzzing begins with.

use std::fs;
use std::path::{Path, PathBuf};

use crate::grammar::packages;
use crate::mutators::noise;
use crate::pki::forge::{P7S, SF, content_info, entry};
use crate::{broken_content, broken_structure};

/// A seed: its file below `seeds/`, and its bytes.
pub type Seed = (PathBuf, Vec<u8>);

/// Zips that honest writers make and one for each way to be refused; the vectors, and their signatures by themselves;
/// and bytes without meaning for the targets that build what they test.
///
/// # Panics
/// When the vectors cannot be read.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let seeds = [honest(), broken(), signed(), programs()].concat();
    seeds.into_iter().filter(|(_, bytes)| bytes.len() <= SIZE_MAX).collect()
}

fn honest() -> Vec<Seed> {
    let zip = |seed| {
        let zip = noise(seed, |u| packages(u).map(Some)).expect("there is noise enough");
        (PathBuf::from(format!("zips/accepted-{seed}")), zip.build())
    };
    (0..32).map(zip).collect()
}

fn broken() -> Vec<Seed> {
    use broken_content::{features, kinds, names, payloads};
    use broken_structure::{counts, end_records, layout, local_headers, zip64};
    let all = [
        layout(),
        end_records(),
        counts(),
        zip64(),
        local_headers(),
        features(),
        names(),
        kinds(),
        payloads(),
    ];
    let name = |index, code| PathBuf::from(format!("zips/{code}-{index}"));
    all.concat().into_iter().enumerate().map(|(index, (code, bytes))| (name(index, code), bytes)).collect()
}

fn signed() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for file in fs::read_dir(VECTORS).expect("the vectors can be listed") {
        let path = file.expect("the vectors can be listed").path();
        if path.extension().is_some_and(|extension| extension == "zip") {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            seeds.extend(of_vector(&name, fs::read(&path).expect("a vector can be read")));
        }
    }
    seeds.sort();
    seeds
}

/// The package, and its signature in each form that the target `cms` knows.
fn of_vector(name: &str, package: Vec<u8>) -> Vec<Seed> {
    let seed = |folder: &str, bytes| (Path::new(folder).join(name), bytes);
    let with_form = |form: u8, body: &[u8]| [&[form][..], body].concat();
    let native = if name.starts_with("native") { 3 } else { 0 };
    let mut seeds = Vec::new();
    let has = |name: &str| package.windows(name.len()).any(|window| window == name.as_bytes());
    if has(P7S) {
        seeds.push(seed("cms", with_form(0, &entry(&package, P7S))));
    }
    if has(SF) {
        let pem = with_form(native + 1, &entry(&package, SF));
        seeds.push((PathBuf::from(format!("cms/{name}-pem")), pem));
        seeds.push(seed("cms", with_form(native + 2, &content_info(&package))));
    }
    seeds.push(seed("packages", package));
    seeds
}

fn programs() -> Vec<Seed> {
    let program = |seed| {
        let bytes =
            noise(seed, |u| u.bytes(300).map(|bytes| Some(bytes.to_vec()))).expect("there is noise enough");
        (PathBuf::from(format!("programs/{seed}")), bytes)
    };
    (0..32).map(program).collect()
}

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/package/vectors");
/// Bytes of a seed: what is longer is a limit reached, and costs every run.
const SIZE_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cms, differential, dissect, parse, strip, structure, verify};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
    }

    #[test]
    fn what_every_target_demands_holds_for_every_seed() {
        for (_, bytes) in seeds() {
            for target in [parse, differential, verify, strip, cms, structure] {
                target(&bytes);
            }
        }
    }

    #[test]
    fn an_honest_zip_is_the_same_when_it_is_put_together_again() {
        for (path, bytes) in honest() {
            let again = dissect::dissect(&bytes).unwrap_or_else(|| panic!("{}", path.display())).build();
            assert!(again == bytes, "{}", path.display());
        }
    }

    /// Writes the seeds anew: `cargo test --manifest-path tests/fuzz/Cargo.toml -- --ignored`.
    #[test]
    #[ignore = "writes seeds/"]
    fn make_seeds() {
        for (path, bytes) in seeds() {
            let path = folder().join(path);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
            fs::write(path, bytes).expect("a seed can be written");
        }
    }
}
