//! Principals: by what they are known, and what their policies allow them.

use countersign_iam::{Context, keys};
use secrecy::ExposeSecret as _;

use super::*;
use crate::DataDir;

const MARIA: &str = r#"
region = "us-west-2"
account = "123456789012"
[[principal]]
name = "maria"
access_keys = [
    { id = "AKIAIOSFODNN7EXAMPLE", secret_file = "secrets/maria" },
    { id = "akia_second_key_of_maria" },
]
policies = ["manage-configs.json", "create-with-config.json"]
"#;

/// What the configuration `text` says is wrong, where `policy.json` beside it says `policy`.
fn mistakes(text: &str, policy: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.json"), policy).unwrap();
    let read = Config::parse(text, folder.path(), &Environment::default());
    let mistakes = read.map_or_else(|error| error.mistakes, |_| Vec::new());
    mistakes
        .iter()
        .map(|mistake| mistake.to_string().replace(&folder.path().display().to_string(), ""))
        .collect()
}

fn principal(rest: &str) -> String {
    format!("[[principal]]\nname = \"ci\"\npublishers = [\"ci\"]\n{rest}\n")
}

const WITH_POLICY: &str = r#"policies = ["policy.json"]"#;

#[test]
fn the_policies_of_awss_page_decide_through_the_configuration() {
    let authority = parse(MARIA).unwrap().authority;
    let maria = authority.holder_of("AKIAIOSFODNN7EXAMPLE").unwrap();
    assert_eq!(maria.arn().to_string(), "arn:aws:iam::123456789012:user/maria");
    let may = |action: &str, config: Option<&str>| {
        let function = "arn:aws:lambda:us-west-2:123456789012:function:hello".parse().unwrap();
        let arn = |id| format!("arn:aws:lambda:us-west-2:123456789012:code-signing-config:{id}");
        let context = Context::default().with_all(keys::LAMBDA_CODE_SIGNING_CONFIG_ARN, config.map(arn));
        authority.authorize(maria, action.parse().unwrap(), &[function], context)
    };
    for action in ["CreateCodeSigningConfig", "UpdateCodeSigningConfig", "GetCodeSigningConfig"] {
        let allowed = may(&format!("lambda:{action}"), None).unwrap();
        assert_eq!(allowed.by()[0].to_string(), "manage-configs.json/Statement[0]");
    }
    let approved = may("lambda:CreateFunction", Some("csc-0d4518bd353a0a7c6")).unwrap();
    assert_eq!(approved.by()[0].to_string(), "create-with-config.json/Statement[0]");
    assert!(may("lambda:CreateFunction", Some("csc-00000000000000000")).is_err());
    assert!(may("lambda:CreateFunction", None).is_err());
    let denied = may("lambda:DeleteCodeSigningConfig", None).unwrap_err().to_string();
    assert!(
        denied.contains("user/maria is not authorized to perform: lambda:DeleteCodeSigningConfig"),
        "{denied}"
    );
}

#[test]
fn what_is_not_understood_in_a_policy_is_a_mistake_with_file_place_and_code() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"StringLikes":{"aws:username":"x"}}}]}"#;
    let mistakes = mistakes(&format!("colour = 1\n{}", principal(WITH_POLICY)), policy);
    let [policy, colour] = mistakes.as_slice() else { panic!("{mistakes:?}") };
    assert!(
        policy.starts_with("principal[0].policies[0]: policy.json: Statement[0].Condition.StringLikes: "),
        "{policy}"
    );
    assert!(policy.ends_with("(unknown_operator)"), "{policy}");
    assert!(colour.starts_with("colour: "), "and the other mistakes are told too");
}

#[test]
fn a_policy_is_a_file_that_is_there_and_is_named_once() {
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let long = format!("{}{all}", " ".repeat(20_480));
    for (list, content, mistake) in [
        (r#"["nowhere.json"]"#, all, "principal[0].policies[0]: cannot read /nowhere.json: "),
        (r#"[""]"#, all, "principal[0].policies[0]: is empty"),
        (r#"["."]"#, all, "principal[0].policies[0]: cannot read "),
        (
            r#"["policy.json", "policy.json"]"#,
            all,
            "principal[0].policies[1]: policy.json stands in the list twice",
        ),
        (r#"["policy.json"]"#, "", "principal[0].policies[0]: policy.json: policy: "),
        (r#"["policy.json"]"#, &long, "(too_large)"),
        (r#"[5]"#, all, "principal[0].policies[0]: an integer is not a text"),
        (r#""policy.json""#, all, "principal[0].policies: a string is not a list"),
    ] {
        let mistakes = mistakes(&principal(&format!("policies = {list}")), content);
        assert!(mistakes.len() == 1 && mistakes[0].contains(mistake), "{list}: {mistakes:?}");
    }
    assert_eq!(mistakes(&principal(WITH_POLICY), all), Vec::<String>::new());
    let many = vec!["\"policy.json\""; 21].join(",");
    let mistakes = mistakes(&principal(&format!("policies = [{many}]")), all);
    assert!(mistakes[0].contains("has 21 entries: write at most 20"), "{mistakes:?}");
}

#[test]
fn an_access_key_belongs_to_one_principal_and_has_a_legal_id() {
    let with = |name: &str, keys: &str| format!("[[principal]]\nname = \"{name}\"\naccess_keys = [{keys}]\n");
    let key = "{ id = \"AKIAIOSFODNN7EXAMPLE\" }";
    let second = "{ id = \"AKIAIOSFODNN8EXAMPLE\" }";
    assert!(parse(&(with("a", key) + &with("b", second))).is_ok());
    let id = "access_keys[0].id";
    for (text, path, reason) in [
        (
            with("a", key) + &with("b", key),
            format!("principal[1].{id}"),
            "stands in principal[0].access_keys[0].id",
        ),
        (with("a", &format!("{key}, {key}")), "principal[0].access_keys[1].id".into(), "once"),
        (with("a", "{ id = \"AKIA\" }"), format!("principal[0].{id}"), "16 to 128 letters"),
        (with("a", "{}"), format!("principal[0].{id}"), "is missing"),
        (
            with("a", "{ id = \"AKIAIOSFODNN7EXAMPLE\", file = \"x\" }"),
            "principal[0].access_keys[0].file".into(),
            "known here are id, secret_file",
        ),
        (
            with("a", &format!("{key}, {second}, {{ id = \"AKIAIOSFODNN9EXAMPLE\" }}")),
            "principal[0].access_keys".into(),
            "has 3 tables: write at most 2",
        ),
        (with("a", ""), "principal[0].publishers".into(), "or give the principal access_keys"),
    ] {
        let mistakes = parse(&text).unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].path, path);
        assert!(mistakes[0].reason.contains(reason), "{}", mistakes[0].reason);
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_refused_and_not_repeated() {
    for key in [
        "{ id = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\" }",
        "{ id = \"AKIAIOSFODNN7EXAMPLE\", secret = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\" }",
    ] {
        let error = parse(&format!("[[principal]]\nname = \"a\"\naccess_keys = [{key}]")).unwrap_err();
        assert!(!error.to_string().contains("wJalrXUtnFEMI"), "{error}");
    }
}

#[test]
fn the_secret_of_an_access_key_is_its_own_variable_or_else_the_line_of_its_file() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("secrets")).unwrap();
    std::fs::write(data.path().join("secrets/maria"), "from the file\n").unwrap();
    let data = DataDir::new(data.path());
    let secrets = |variables: &[(&str, &str)]| {
        let environment = environment(variables);
        let config = Config::parse(MARIA, Path::new(POLICIES), &environment).unwrap();
        let keys = config.authority.principals()[0].access_keys().to_vec();
        let secrets = keys.iter().map(|key| key.secret(&data, &environment));
        secrets
            .map(|secret| secret.map(|secret| secret.expose_secret().to_owned()).map_err(|e| e.to_string()))
            .collect::<Vec<_>>()
    };
    let without = secrets(&[]);
    assert_eq!(without[0].as_deref(), Ok("from the file"));
    let missing = without[1].as_ref().unwrap_err();
    assert!(missing.contains("COUNTERSIGN_SECRET_ACCESS_KEY_akia_second_key_of_maria"), "{missing}");
    assert!(missing.contains("principal[0].access_keys[1].secret_file"), "{missing}");
    let given = [
        ("COUNTERSIGN_SECRET_ACCESS_KEY_AKIAIOSFODNN7EXAMPLE", "one"),
        ("COUNTERSIGN_SECRET_ACCESS_KEY_akia_second_key_of_maria", "two"),
    ];
    assert_eq!(secrets(&given), [Ok("one".to_owned()), Ok("two".to_owned())]);
    let stray = environment(&[("COUNTERSIGN_SECRET_ACCESS_KEY_AKIAIOSFODNN8EXAMPLE", "nobody's")]);
    let error = Config::parse(MARIA, Path::new(POLICIES), &stray).unwrap_err().to_string();
    assert!(error.contains("overrides no key") && !error.contains("nobody's"), "{error}");
}

#[test]
fn a_principal_may_be_of_another_account() {
    let foreign = parse(&principal("account = \"999999999999\"")).unwrap().authority;
    assert_eq!(foreign.principals()[0].arn().to_string(), "arn:aws:iam::999999999999:user/ci");
    assert_eq!(foreign.scope().account().as_str(), "000000000000");
    assert_eq!(paths(&principal("account = \"12\"")), ["principal[0].account"]);
}

#[test]
fn a_policy_that_allows_nothing_of_what_was_meant_is_worth_a_warning() {
    let cautions = parse(&principal("")).unwrap().cautions();
    assert_eq!(cautions, ["principal[0].policies: nothing is allowed to it, because it has no policy"]);
    let folder = tempfile::tempdir().unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"StringEquals":{"s3:prefix":"x"}}}}"#;
    std::fs::write(folder.path().join("policy.json"), policy).unwrap();
    let config = Config::parse(&principal(WITH_POLICY), folder.path(), &Environment::default()).unwrap();
    let cautions = config.cautions();
    assert!(
        cautions.len() == 1 && cautions[0].starts_with("principal[0].policies: policy.json: Statement"),
        "{cautions:?}"
    );
}
