//! Every key there is. What stands here is known to the readers, and what does not is refused by them.

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its path, `[]` for each entry of a list of tables: `route[].deploy.alias`.
    pub path: &'static str,
    /// What counts where it is absent: the value as it would be written, or else `required`, `none`, or in words.
    pub default: &'static str,
}

/// Every key of the configuration, in the order of its documentation.
pub const KEYS: &[Key] = &[
    key("listen", "\"127.0.0.1:4580\""),
    key("region", "\"us-east-1\""),
    key("account", "\"000000000000\""),
    key("require_code_signing", "false"),
    key("sweep_interval_seconds", "60"),
    key("package_size_max_bytes", "262144000"),
    key("unpacked_size_max_bytes", "262144000"),
    key("gate.entries_max", "262144"),
    key("gate.name_size_max_bytes", "1024"),
    key("gate.central_directory_size_max_bytes", "67108864"),
    key("gate.ratio_max", "1032"),
    key("key_passphrase_file", "\"secrets/key-passphrase\""),
    key("trust_roots", "[]"),
    key("signer.health_listen", "\"127.0.0.1:4581\""),
    key("signer.api_listen", NONE),
    key("signer.work_dir", "\"work/signer\""),
    key("signer.concurrency", "4"),
    key("signer.grace_seconds", "20"),
    key("deployer.health_listen", "\"127.0.0.1:4582\""),
    key("deployer.api_listen", NONE),
    key("deployer.work_dir", "\"work/deployer\""),
    key("deployer.concurrency", "4"),
    key("deployer.grace_seconds", "20"),
    key("deployer.code_bucket", "\"countersign-code\""),
    key("s3.endpoint", "AWS"),
    key("s3.path_style", "true with an endpoint, false without"),
    key("rabbitmq.addresses", REQUIRED),
    key("rabbitmq.user", REQUIRED),
    key("rabbitmq.password_file", NONE),
    key("rabbitmq.ca_file", "the system's roots"),
    key("postgresql.url", REQUIRED),
    key("postgresql.password_file", NONE),
    key("postgresql.ca_file", "Mozilla's roots"),
    key("postgresql.max_connections", "8"),
    key("route[].source", REQUIRED),
    key("route[].profile", REQUIRED),
    key("route[].destination", REQUIRED),
    key("route[].deploy.function", REQUIRED),
    key("route[].deploy.alias", NONE),
    key("route[].deploy.target", "the first target"),
    key("route[].deploy.create", "false"),
    key("route[].deploy.code_signing_config", NONE),
    key("code_signing_config[].name", REQUIRED),
    key("code_signing_config[].allowed_publishers", REQUIRED),
    key("code_signing_config[].untrusted_artifact", "\"Warn\""),
    key("trigger[].kind", REQUIRED),
    key("trigger[].queue_url", REQUIRED),
    key("trigger[].endpoint", "AWS"),
    key("trigger[].exchange", REQUIRED),
    key("trigger[].exchange_type", "\"topic\""),
    key("trigger[].routing_key", "\"#\" for topic, \"\" for fanout, required for direct"),
    key("target[].name", REQUIRED),
    key("target[].kind", REQUIRED),
    key("target[].path", "\".\""),
    key("target[].region", "the top-level region"),
    key("target[].endpoint", "AWS"),
    key("target[].role", NONE),
    key("target[].runtime", NONE),
    key("target[].handler", NONE),
    key("principal[].name", REQUIRED),
    key("principal[].publishers", "required without access_keys"),
    key("principal[].access_keys[].id", REQUIRED),
    key("principal[].access_keys[].secret_file", NONE),
    key("principal[].policies", "none: nothing is allowed"),
    key("principal[].account", "the top-level account"),
];

const fn key(path: &'static str, default: &'static str) -> Key {
    Key { path, default }
}

const REQUIRED: &str = "required";
const NONE: &str = "none";

/// True if `path`, such as `route[1].deploy.alias`, is the path of a key.
pub(super) fn is_key(path: &str) -> bool {
    let pattern = pattern_of(path);
    KEYS.iter().any(|key| key.path == pattern)
}

/// The paths of the keys that stand in the table at `path`, below it and that far without `[]`.
pub(super) fn keys_below(path: &str) -> impl Iterator<Item = &'static str> {
    let table = format!("{}.", pattern_of(path));
    KEYS.iter().map(|key| key.path).filter(move |key| key.starts_with(&table))
}

/// What may stand in the table at `path`, each once, as it would be written: `listen`, `[signer]`, `[[route]]`.
pub(super) fn known_in(path: &str) -> Vec<String> {
    let table = if path.is_empty() { String::new() } else { format!("{}.", pattern_of(path)) };
    let mut known = Vec::new();
    for rest in KEYS.iter().filter_map(|key| key.path.strip_prefix(&table)) {
        let written = match rest.split_once('.') {
            Some((list, _)) if list.ends_with("[]") => format!("[[{}]]", list.trim_end_matches("[]")),
            Some((name, _)) if table.is_empty() => format!("[{name}]"),
            Some((name, _)) => name.to_owned(),
            None => rest.to_owned(),
        };
        if !known.contains(&written) {
            known.push(written);
        }
    }
    known
}

/// `route[1].deploy` is `route[].deploy`.
fn pattern_of(path: &str) -> String {
    let mut in_brackets = false;
    let kept = path.chars().filter(|character| {
        in_brackets = (in_brackets || *character == '[') && *character != ']';
        !(in_brackets && character.is_ascii_digit())
    });
    kept.collect()
}
