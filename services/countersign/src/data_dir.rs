//! How a data directory is chosen, in every command that needs one.

use std::path::PathBuf;

use countersign_runtime::DataDir;

/// The argument.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DataDirArg {
    /// Where everything is kept
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", default_value = "countersign-data", value_name = "DIR")]
    data_dir: PathBuf,
}

impl DataDirArg {
    /// The directory, which need not be there.
    pub(crate) fn chosen(&self) -> DataDir {
        DataDir::new(&self.data_dir)
    }
}
