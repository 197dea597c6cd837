//! Where secrets come from.

use secrecy::ExposeSecret as _;

use super::*;
use crate::DataDir;

const FILE: &str =
    "[rabbitmq]\naddresses = [\"amqp://localhost\"]\nuser = \"x\"\npassword_file = \"password\"\n";
const NO_FILE: &str = "[rabbitmq]\naddresses = [\"amqp://localhost\"]\nuser = \"x\"\n";

fn password(text: &str, content: &[u8], variables: &[(&str, &str)]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), content).unwrap();
    let environment = environment(variables);
    let rabbitmq = Config::parse(text, Path::new(POLICIES), &environment).unwrap().rabbitmq.unwrap();
    let password = rabbitmq.password(&DataDir::new(folder.path()), &environment);
    password.map(|password| password.expose_secret().to_owned()).map_err(|error| error.to_string())
}

#[test]
fn a_password_is_the_variable_or_else_the_line_of_the_file() {
    let variable = [("COUNTERSIGN_RABBITMQ_PASSWORD", "from the variable")];
    assert_eq!(password(FILE, b"from the file\n", &variable).unwrap(), "from the variable");
    assert_eq!(password(NO_FILE, b"", &variable).unwrap(), "from the variable");
    for content in ["from the file", "from the file\n", "from the file\r\n"] {
        assert_eq!(password(FILE, content.as_bytes(), &[]).unwrap(), "from the file");
    }
    assert_eq!(password(FILE, b" spaces stay \n", &[]).unwrap(), " spaces stay ");
}

#[test]
fn what_is_no_password_is_refused_and_never_shown() {
    let long = [b"hunter2".as_slice(), &[b'x'; 1024]].concat();
    for (content, complaint) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\n\n", "more than one line"),
        (b"hunter2\0", "more than one line"),
        (b"hunter2\xff", "not UTF-8"),
        (&long, "longer than 1024 bytes"),
    ] {
        let error = password(FILE, content, &[]).unwrap_err();
        assert!(error.starts_with("secret_malformed: ") && error.contains(complaint), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let missing = password(NO_FILE, b"", &[]).unwrap_err();
    assert!(missing.contains("COUNTERSIGN_RABBITMQ_PASSWORD") && missing.contains("rabbitmq.password_file"));
    let unreadable = password(&FILE.replace("\"password\"", "\"nowhere\""), b"", &[]).unwrap_err();
    assert!(unreadable.starts_with("secret_unreadable: ") && unreadable.contains("nowhere"), "{unreadable}");
}

#[test]
fn a_database_may_ask_for_no_password() {
    let text = "[postgresql]\nurl = \"postgresql://countersign@%2Frun%2Fpostgresql/countersign\"";
    let postgresql = parse(text).unwrap().postgresql.unwrap();
    let nothing = postgresql.password(&DataDir::new("x".as_ref()), &Environment::default());
    assert!(nothing.unwrap().is_none());
    let given = environment(&[("COUNTERSIGN_POSTGRESQL_PASSWORD", "hunter2")]);
    let password = postgresql.password(&DataDir::new("x".as_ref()), &given).unwrap().unwrap();
    assert_eq!(password.expose_secret(), "hunter2");
}

#[test]
fn nothing_that_was_written_in_the_wrong_place_is_repeated() {
    for text in [
        "[rabbitmq]\nuser = \"x\"\naddresses = [\"amqps://x:hunter2@y\"]",
        "[rabbitmq]\nuser = \"x\"\naddresses = [\"x:hunter2@y\"]",
        "[rabbitmq]\nuser = \"x\"\naddresses = \"amqps://x:hunter2@y\"",
        "[rabbitmq]\nuser = \"x\"\naddresses = [[\"amqps://x:hunter2@y\"]]",
        "[rabbitmq]\nuser = \"x\"\naddresses = [\"amqps://y\"]\npassword = \"hunter2\"",
        "rabbitmq = [\"hunter2\"]",
        "[postgresql]\nurl = \"postgresql://x:hunter2@y/z\"",
        "[postgresql]\nurl = \"postgresql://x@y/z?password=hunter2\"",
        "[postgresql]\nurl = \"postgresql://x@y/z?pass=hunter2\"",
        "[postgresql]\nurl = \"mysql://x:hunter2@y/z\"",
        "[postgresql]\nurl = \"postgresql://x:hunter2 @y/z\"",
        "[postgresql]\nurl = [\"postgresql://x:hunter2@y/z\"]",
        "[s3]\nendpoint = \"https://x:hunter2@y\"",
        "[s3]\nendpoint = \"https://x:hunter2@y:port\"",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
