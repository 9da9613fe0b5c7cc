//! Measures one bare repository: `maintenance PATH [maintain|repack]`.
//!
//! Prints the cost of opening it, of object lookups and of small fetches, and runs maintenance if requested,
//! with references in files of plain Git. Times are of one run; memory is the peak of the process.

use std::{
    error::Error,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use git::{
    ObjectId, Offers, Options, Reference, References, Repository,
    maintenance::MaintenanceOptions,
    upload_pack::{self, Request},
};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: maintenance PATH [maintain|repack]")?;
    let path = Path::new(&path);
    let (repository, opened) = timed(|| Repository::open(path));
    let repository = repository?;
    println!("open: {opened:.1?}");
    look_up(&repository, path)?;
    fetch(&repository, path)?;
    let tips = || git(path, &["for-each-ref", "--format=%(objectname)"]).map_err(std::io::Error::other);
    let mut tips = || tips().map(|text| text.lines().filter_map(|id| id.parse().ok()).collect());
    let maintenance = MaintenanceOptions { threads: 2, now: SystemTime::now(), ..MaintenanceOptions::default() };
    let (needed, looked) = timed(|| repository.needs_maintenance(&maintenance));
    println!("needs maintenance: {}, found out in {looked:.1?}", needed?);
    let (outcome, worked) = match arguments.next().as_deref() {
        Some("maintain") => timed(|| repository.maintain(&mut tips, &maintenance)),
        Some("repack") => timed(|| repository.repack(&mut tips, &maintenance)),
        _ => return Ok(()),
    };
    println!("{:?} in {worked:.1?}", outcome?);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("peak memory: unknown"));
    print!("{}", git(path, &["count-objects", "-v"])?);
    look_up(&repository, path)?;
    fetch(&repository, path)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn git(path: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).current_dir(path).output().map_err(|error| error.to_string())?;
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Looks up existing objects in no order, and as many missing ones.
fn look_up(repository: &Repository, path: &Path) -> Outcome<()> {
    let text = git(path, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"])?;
    let mut ids: Vec<ObjectId> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
    // Sorted by the last bytes, which are independent of the order in packs.
    ids.sort_by_key(|id| id.as_slice()[12..].to_vec());
    ids.truncate(20_000);
    let (found, there) = timed(|| ids.iter().filter(|id| matches!(repository.kind(id), Ok(Some(_)))).count());
    let turned = |id: &ObjectId| {
        let mut bytes: [u8; 20] = id.as_slice().try_into().expect("an id has 20 bytes");
        bytes.reverse();
        ObjectId::from(bytes)
    };
    let missing: Vec<_> = ids.iter().map(turned).collect();
    let (none, absent) = timed(|| missing.iter().filter(|id| matches!(repository.kind(id), Ok(None))).count());
    let each = |time: Duration| time / u32::try_from(ids.len().max(1)).unwrap_or(1);
    println!("look up: {found} there, {:.0?} each; {none} missing, {:.0?} each", each(there), each(absent));
    Ok(())
}

/// Serves a client that is some commits behind, once and again.
fn fetch(repository: &Repository, path: &Path) -> Outcome<()> {
    let tip = git(path, &["rev-parse", "main"])?.trim().to_owned();
    let reference = Reference { name: "refs/heads/main".into(), target: tip.parse()?, peeled: None };
    let references =
        References { head: Some("refs/heads/main".into()), references: vec![reference], ..References::default() };
    let options = Options { offers: Offers::FULL, ..Options::default() };
    for behind in [3, 100] {
        let Ok(have) = git(path, &["rev-parse", &format!("main~{behind}")]) else { continue };
        let lines = [format!("want {tip} thin-pack ofs-delta\n"), String::new(), format!("have {}\n", have.trim())];
        let lines = lines.iter().map(|line| if line.is_empty() { "0000".into() } else { frame(line) });
        let request: String = lines.chain([frame("done\n")]).collect();
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..5 {
            let (answer, time) = timed(|| -> Outcome<Vec<u8>> {
                let request =
                    Request::read(&mut request.as_bytes(), git::Version::V0, &options)?.ok_or("no request")?;
                let mut out = Vec::new();
                upload_pack::respond(repository, &references, request, &options)?.write(&mut out)?;
                Ok(out)
            });
            bytes = answer?.len();
            times.push(time);
        }
        let again = times[1..].iter().min().copied().unwrap_or_default();
        println!("fetch {behind} behind: {bytes} bytes, {:.2?} at first, {again:.2?} again", times[0]);
    }
    Ok(())
}

fn frame(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}
