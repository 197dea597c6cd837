//! The settings of the account: AWS's limits that hold here too, and what is used.

use countersign_api::{Asks, Notes};
use countersign_domain::{FunctionName, LayerName};
use countersign_gateway::{ApiError, Call, Reply};
use countersign_ports::StoreError;
use countersign_ports::functions::FunctionError;
use serde_json::{Map, json};

use crate::api::{LambdaApi, errors};

pub(super) async fn settings(api: &LambdaApi, call: &Call, _notes: &mut Notes) -> Result<Reply, ApiError> {
    api.access.authorize(call, Asks::of(call))?;
    let usage = used(api).await.map_err(errors::store)?;
    let limits = json!({
        "TotalCodeSize": TOTAL_CODE_SIZE,
        "CodeSizeUnzipped": CODE_SIZE_UNZIPPED,
        "CodeSizeZipped": CODE_SIZE_ZIPPED,
        "ConcurrentExecutions": CONCURRENT_EXECUTIONS,
        "UnreservedConcurrentExecutions": CONCURRENT_EXECUTIONS,
    });
    let usage = json!({"TotalCodeSize": usage.bytes, "FunctionCount": usage.functions});
    Ok(Reply::new(Map::from_iter([("AccountLimit".to_owned(), limits), ("AccountUsage".to_owned(), usage)])))
}

/// What is kept: functions, and the bytes of their packages in every version and of the layers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Usage {
    functions: u64,
    bytes: u64,
}

async fn used(api: &LambdaApi) -> Result<Usage, StoreError> {
    let mut usage = Usage { functions: 0, bytes: layer_bytes(api).await? };
    let mut after: Option<FunctionName> = None;
    loop {
        let page = api.ports.functions.list_functions(after.as_ref(), PAGE).await?;
        for function in &page {
            usage.functions += 1;
            let latest = function.latest.as_ref().map_or(0, |latest| latest.code.size_bytes);
            usage.bytes += latest + version_bytes(api, &function.name).await?;
        }
        match page.last().filter(|_| is_full(page.len())) {
            Some(last) => after = Some(last.name.clone()),
            None => return Ok(usage),
        }
    }
}

async fn version_bytes(api: &LambdaApi, function: &FunctionName) -> Result<u64, StoreError> {
    let (mut bytes, mut after) = (0, 0);
    loop {
        let page = match api.ports.functions.versions(function, after, PAGE).await {
            Ok(page) => page,
            Err(FunctionError::Store(error)) => return Err(error),
            // It was deleted meanwhile: nothing of it is used.
            Err(_) => return Ok(0),
        };
        bytes += page.iter().map(|version| version.code.size_bytes).sum::<u64>();
        match page.last().and_then(|last| last.version.number()).filter(|_| is_full(page.len())) {
            Some(last) => after = last,
            None => return Ok(bytes),
        }
    }
}

async fn layer_bytes(api: &LambdaApi) -> Result<u64, StoreError> {
    let (mut bytes, mut after): (u64, Option<LayerName>) = (0, None);
    loop {
        let page = api.ports.layers.list_layers(after.as_ref(), PAGE).await?;
        for newest in &page {
            bytes += bytes_of_layer(api, &newest.layer).await?;
        }
        match page.last().filter(|_| is_full(page.len())) {
            Some(last) => after = Some(last.layer.clone()),
            None => return Ok(bytes),
        }
    }
}

async fn bytes_of_layer(api: &LambdaApi, layer: &LayerName) -> Result<u64, StoreError> {
    let (mut bytes, mut before) = (0, None);
    loop {
        let page = api.ports.layers.layer_versions(layer, before, PAGE).await?;
        bytes += page.iter().map(|version| version.content.size_bytes).sum::<u64>();
        match page.last().filter(|_| is_full(page.len())) {
            Some(last) => before = Some(last.version),
            None => return Ok(bytes),
        }
    }
}

fn is_full(items: usize) -> bool {
    u32::try_from(items).is_ok_and(|items| items >= PAGE)
}

/// Items that are read at once.
const PAGE: u32 = 1000;

/// Bytes of all packages together on AWS. Here the disk is the limit, and nothing is refused at this size.
const TOTAL_CODE_SIZE: u64 = 80_530_636_800;

/// Bytes that a package and its layers may unpack to.
const CODE_SIZE_UNZIPPED: u64 = 262_144_000;

/// Bytes of a package that comes within a request.
const CODE_SIZE_ZIPPED: u64 = 52_428_800;

/// AWS's default. Nothing is invoked here.
const CONCURRENT_EXECUTIONS: u64 = 1000;
