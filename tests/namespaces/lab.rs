//! Networks made of Linux network namespaces: an internet with a server on it, routers that translate with nftables, and
//! hosts behind them.
//!
//! All of it is made by a process that has namespaces of its own ([`inside`]); when that process ends, for whatever
//! reason, the kernel takes everything away again, and nothing outside was ever changed.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use crate::support::virtual_router::{DependsOn, RouterKind};

/// Runs a test of this program again, inside namespaces of its own. `true` there; `false` for whoever asked, once the test
/// passed inside, or where namespaces may not be made, which is said.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if let Err(why) = may_make_namespaces() {
        eprintln!("{test} is skipped: {why}");
        return false;
    }
    let program = std::env::current_exe().expect("this program has a name");
    let status = unshare()
        .arg(program)
        .args(["--exact", test, "--include-ignored", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare ran a moment ago");
    assert!(status.success(), "{test} failed inside its namespaces");
    false
}

const INSIDE: &str = "TINCAN_TEST_IN_NAMESPACES";

/// What is needed, or a sentence that says what is missing.
fn may_make_namespaces() -> Result<(), String> {
    let needs = "mount -t tmpfs none /run && mkdir /run/netns && ip netns add try && nft list ruleset";
    let tried = unshare().args(["sh", "-ec", needs]).output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            Err(format!("network namespaces cannot be made here ({why})"))
        }
        Err(error) => Err(format!("unshare, of util-linux, cannot be run here ({error})")),
    }
}

/// Namespaces of users, networks, mounts and processes; the last so that no process outlives the first one.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--"]);
    command.env("PATH", with_system_programs());
    command
}

/// `ip` and `nft` are often where only the administrator looks.
fn with_system_programs() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Names a network: the internet, or what is behind a router.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network(pub(crate) usize);

/// The internet.
pub(crate) const INTERNET: Network = Network(0);
/// By which everybody knows the server: its addresses of both families.
pub(crate) const SERVER: &str = "server.example";
/// The server's namespace.
pub(crate) const SERVER_HOST: &str = "server";

/// Everything that was made.
pub(crate) struct Lab {
    networks: Vec<Made>,
}

struct Made {
    namespace: String,
    behind: Option<Network>,
    /// The next host number.
    next: u8,
    /// Where its router is in the network outside.
    outside: Option<u8>,
}

impl Lab {
    /// An internet with a server on it. Only inside namespaces.
    pub(crate) fn new() -> Self {
        let hosts = "203.0.113.1 server.example\n2001:db8:0::1 server.example\n127.0.0.1 localhost\n";
        run("mount -t tmpfs none /run && mkdir /run/netns");
        std::fs::write("/run/hosts", hosts).expect("the new /run can be written");
        run("mount --bind /run/hosts /etc/hosts");
        let internet = Made { namespace: "internet".into(), behind: None, next: 1, outside: None };
        let mut lab = Self { networks: vec![internet] };
        make_namespace("internet");
        lab.open(INTERNET);
        lab.host(SERVER_HOST, INTERNET, true, true);
        lab
    }

    /// A network behind a router of that kind.
    pub(crate) fn router(&mut self, name: &str, outside: Network, kind: RouterKind) -> Network {
        let network = Network(self.networks.len());
        make_namespace(name);
        let number = self.attach(name, "out", outside, true, true);
        self.networks.push(Made {
            namespace: name.to_owned(),
            behind: Some(outside),
            next: 1,
            outside: Some(number),
        });
        self.open(network);
        self.announce(network);
        let own = address(outside, number);
        in_namespace(name, "nft -f -", &rules(network, &own, kind));
        network
    }

    /// A host in a network.
    pub(crate) fn host(&mut self, name: &str, network: Network, v4: bool, v6: bool) {
        make_namespace(name);
        self.attach(name, "eth0", network, v4, v6);
        let rules = "table inet watch {\ncounter relayed { }\n\
                     chain out { type filter hook output priority 0;\n\
                     ip daddr 203.0.113.1 udp dport != 1935 counter name relayed\n\
                     ip6 daddr 2001:db8::1 udp dport != 1935 counter name relayed\n}\n}\n";
        in_namespace(name, "nft -f -", rules);
    }

    /// How many datagrams a host has sent to the server's relay.
    pub(crate) fn sent_to_relay(name: &str) -> u64 {
        let list = command_in(name, "nft list counter inet watch relayed").output().expect("nft runs");
        let text = String::from_utf8_lossy(&list.stdout).into_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let packets = words.windows(2).find(|pair| pair[0] == "packets").map(|pair| pair[1].parse());
        packets.and_then(Result::ok).expect("the counter of this host")
    }

    /// Plugs a host into one more network, which is its way out from now on: it must have no other by then.
    pub(crate) fn plug(&mut self, name: &str, interface: &str, network: Network) {
        self.attach(name, interface, network, true, false);
    }

    /// From now on a router lets UDP out to nobody but the server.
    pub(crate) fn udp_to_server_only(&self, network: Network) {
        let rules = "table ip wall {\nchain forward { type filter hook forward priority 1;\n\
                     oifname \"out\" meta l4proto udp ip daddr != 203.0.113.1 drop\n}\n}\n";
        in_namespace(&self.networks[network.0].namespace, "nft -f -", rules);
    }

    /// Makes the bridge of a network, and gives its namespace the first addresses there.
    fn open(&self, network: Network) {
        let Network(number) = network;
        let namespace = &self.networks[number].namespace;
        let mut script = String::from("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n");
        script += "ip link set lo up\nip link add in type bridge mcast_snooping 0\nip link set in up\n";
        _ = writeln!(script, "ip addr add {}/24 dev in", address(network, GATEWAY));
        _ = writeln!(script, "ip addr add {}/64 dev in nodad", address_v6(network, GATEWAY));
        in_namespace(namespace, "sh -e", &script);
    }

    /// Plugs a namespace into a network; the number it has there.
    fn attach(&mut self, namespace: &str, interface: &str, network: Network, v4: bool, v6: bool) -> u8 {
        let made = &mut self.networks[network.0];
        let number = made.next;
        made.next += 1;
        let theirs = &made.namespace;
        let port = format!("port{number}");
        run(&format!("ip link add {interface} netns {namespace} type veth peer name {port} netns {theirs}"));
        in_namespace(theirs, "sh -e", &format!("ip link set {port} master in\nip link set {port} up\n"));
        let mut script = format!("ip link set lo up\nip link set {interface} up\n");
        if v4 {
            _ = writeln!(script, "ip addr add {}/24 dev {interface}", address(network, number));
            _ = writeln!(script, "ip route add default via {}", address(network, GATEWAY));
        }
        if v6 {
            _ = writeln!(script, "ip addr add {}/64 dev {interface} nodad", address_v6(network, number));
            _ = writeln!(script, "ip -6 route add default via {}", address_v6(network, GATEWAY));
        } else {
            _ = writeln!(script, "sysctl -qw net.ipv6.conf.{interface}.disable_ipv6=1");
        }
        in_namespace(namespace, "sh -e", &script);
        number
    }

    /// Lets every network outside know the way in: IPv6 is not translated.
    fn announce(&self, network: Network) {
        let prefix = format!("2001:db8:{:x}::/64", network.0);
        let mut inner = &self.networks[network.0];
        while let (Some(outside), Some(number)) = (inner.behind, inner.outside) {
            let script = format!("ip -6 route add {prefix} via {}\n", address_v6(outside, number));
            inner = &self.networks[outside.0];
            in_namespace(&inner.namespace, "sh -e", &script);
        }
    }
}

impl Drop for Lab {
    /// Makes room for the next one: namespaces that no name and no process holds are gone.
    fn drop(&mut self) {
        // A test that failed already ends its process, and with it everything.
        if !std::thread::panicking() {
            run("umount --lazy /etc/hosts && umount --lazy --recursive /run");
        }
    }
}

/// The number of whoever leads out of a network.
const GATEWAY: u8 = 254;

fn address(Network(network): Network, number: u8) -> String {
    if network == 0 { format!("203.0.113.{number}") } else { format!("192.168.{network}.{number}") }
}

fn address_v6(Network(network): Network, number: u8) -> String {
    format!("2001:db8:{network:x}::{number:x}")
}

/// A router's rules. Ports are kept where the mapping depends on nothing, and chosen at random for each destination where it
/// does. Datagrams from outside that nobody asked for are dropped before they are taken for the router's own: they would
/// occupy the port that a host's answer needs.
fn rules(network: Network, outside: &str, kind: RouterKind) -> String {
    let random = if kind.mapping == DependsOn::Nothing { "" } else { " fully-random" };
    let lan = format!("192.168.{}.0/24", network.0);
    let mut nat = String::new();
    let mut line = |text: &str| _ = writeln!(nat, "{text}");
    line("table ip router {");
    line("map owners { type inet_service : ipv4_addr; flags dynamic,timeout; timeout 120s; }");
    line("set written { type ipv4_addr; flags dynamic,timeout; timeout 120s; }");
    line("chain learn { type filter hook postrouting priority 90;");
    line("oifname \"out\" meta l4proto udp update @owners { udp sport : ip saddr }");
    line("oifname \"out\" meta l4proto udp update @written { ip daddr }");
    line("}");
    line("chain outward { type nat hook postrouting priority 100;");
    if kind.hairpins {
        line(&format!(
            "oifname \"in\" ip saddr {lan} ct status dnat meta l4proto udp snat to {outside}{random}"
        ));
    }
    line(&format!("oifname \"out\" ip saddr != {outside} masquerade{random}"));
    line("}");
    line("chain inward { type nat hook prerouting priority -100;");
    let to_owner = "meta l4proto udp dnat to udp dport map @owners";
    match kind.filtering {
        DependsOn::Nothing => line(&format!("iifname \"out\" {to_owner}")),
        DependsOn::Address => line(&format!("iifname \"out\" ip saddr @written {to_owner}")),
        DependsOn::AddressAndPort => {}
    }
    if kind.hairpins {
        line(&format!("iifname \"in\" ip daddr {outside} {to_owner}"));
    }
    line("}");
    line("chain unasked { type filter hook input priority 0;");
    line("iifname \"out\" meta l4proto udp drop");
    line(&format!("ip daddr {outside} meta l4proto udp drop"));
    line("}\n}");
    line("table ip6 router {");
    line("chain inward { type filter hook forward priority 0;");
    line("iifname \"out\" ct state established,related accept");
    line("iifname \"out\" meta l4proto udp drop");
    line("}\n}");
    nat
}

/// Makes one whose interfaces have their IPv6 addresses at once. Elsewhere they look for others with the same address for a
/// second or two first, and meanwhile a router asks nobody where the next one is: it keeps what it should pass on.
fn make_namespace(name: &str) {
    run(&format!("ip netns add {name}"));
    in_namespace(
        name,
        "sh -e",
        "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0\n",
    );
}

/// Does something in the namespaces of this process.
pub(crate) fn run(script: &str) {
    let status = Command::new("sh").args(["-ec", script]).env("PATH", with_system_programs()).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot do: {script}");
}

/// A command that runs in a namespace.
pub(crate) fn command_in(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).args(program.split(' '));
    command.env("PATH", with_system_programs());
    command
}

/// Does something in a namespace.
pub(crate) fn script_in(namespace: &str, script: &str) {
    in_namespace(namespace, "sh -e", script);
}

fn in_namespace(namespace: &str, program: &str, input: &str) {
    use std::io::Write as _;
    let mut child = command_in(namespace, program).stdin(Stdio::piped()).spawn().expect("nsenter runs");
    child.stdin.take().expect("its input is piped").write_all(input.as_bytes()).expect("it reads");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "in {namespace}, {program} refuses:\n{input}");
}
