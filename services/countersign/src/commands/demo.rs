//! stub
use crate::exit::Exit;
#[derive(Debug, clap::Args)]
pub struct Args {}
pub(crate) async fn run(_: Args) -> anyhow::Result<Exit> {
    Ok(Exit::Success)
}
