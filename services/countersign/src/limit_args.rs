//! The gate's limits on the command line: strict unless somebody says otherwise.

use countersign_package::limits::Limits;

use crate::output;

/// Limits of the gate that may be changed for this run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// The most bytes that the package may unpack to [default: 262144000]
    #[arg(long, value_name = "BYTES")]
    unpacked_size_max: Option<u64>,
    /// The most entries [default: 262144]
    #[arg(long, value_name = "N")]
    entries_max: Option<u64>,
    /// The longest name of an entry [default: 1024]
    #[arg(long, value_name = "BYTES")]
    name_size_max: Option<usize>,
    /// The largest central directory [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    central_directory_size_max: Option<u64>,
    /// How many times its compressed size an entry may unpack to [default: 1032]
    #[arg(long, value_name = "N")]
    ratio_max: Option<u64>,
}

impl LimitArgs {
    /// The limits of this run; those that are looser than the default are told.
    pub(crate) fn limits(&self) -> Limits {
        let strict = Limits::default();
        let limits = Limits {
            unpacked_size_max: self.unpacked_size_max.unwrap_or(strict.unpacked_size_max),
            entries_max: self.entries_max.unwrap_or(strict.entries_max),
            name_size_max: self.name_size_max.unwrap_or(strict.name_size_max),
            central_directory_size_max: self
                .central_directory_size_max
                .unwrap_or(strict.central_directory_size_max),
            ratio_max: self.ratio_max.unwrap_or(strict.ratio_max),
            ..strict
        };
        for limit in limits.loosened() {
            output::complain(&format!("note: looser than by default: {limit}"));
        }
        limits
    }
}
