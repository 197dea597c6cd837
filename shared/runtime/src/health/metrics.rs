//! What the process counts, in the text form of Prometheus.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// What this process counts. Clones are the same.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Takes up everything that this process counts from now on. Once in a process.
    ///
    /// # Errors
    /// When something else takes it up already.
    pub fn install() -> Result<Self, BuildError> {
        PrometheusBuilder::new().install_recorder().map(Self)
    }

    /// The counts as they are now.
    pub(super) fn text(&self) -> String {
        self.0.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The text form of Prometheus (its documentation, "Exposition formats").
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
