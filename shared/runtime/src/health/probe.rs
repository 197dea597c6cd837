//! Asking a process whether it is ready.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Report;
use super::server::READY;

/// Asks the process whose health is served at `address` whether it is ready. An address that stands for all of a
/// machine's is asked on the loopback interface.
///
/// # Errors
/// When it is not, or does not answer; with the reason, for people.
pub async fn probe(address: SocketAddr) -> Result<(), String> {
    let address = reachable(address);
    let asked = tokio::time::timeout(PROBE_TIMEOUT, ask(address)).await;
    let (status, body) = asked
        .map_err(|_elapsed| format!("no answer from {address} within {} s", PROBE_TIMEOUT.as_secs()))?
        .map_err(|error| format!("no answer from {address}: {error}"))?;
    let report: Report = serde_json::from_slice(&body)
        .map_err(|_| format!("{address} answered {status}, and is no health endpoint of ours"))?;
    // Both have to say so.
    if status == StatusCode::OK && report.ready { Ok(()) } else { Err(reason(&report)) }
}

async fn ask(address: SocketAddr) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(READY).header(HOST, address.to_string()).body(Empty::<Bytes>::new())?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await?;
        Ok((status, body.to_bytes()))
    };
    // The connection moves the bytes of the exchange, whose outcome alone counts.
    let (answer, _ended) = tokio::join!(exchange, connection);
    answer
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn reason(report: &Report) -> String {
    let failed = report.checks.iter().filter(|finding| !finding.ready);
    let told =
        failed.map(|finding| format!("{}: {}", finding.name, finding.reason.as_deref().unwrap_or("?")));
    let reasons: Vec<String> = report.reason.iter().cloned().chain(told).collect();
    format!("not ready: {}", reasons.join("; "))
}

/// Longer than the checks may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: usize = 64 * 1024;
