mod exposure;
mod outages;
mod postgres;
mod races;
mod relays;
mod samples;
mod server;
mod sqlite;
