// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A real network on this machine: a network namespace for each node, joined by a bridge. What goes
 * from one node to another takes some milliseconds; lines are cut and packets lost by the kernel.
 * Clocks are moved by libfaketime; each node has a disk of its own. Needs root.
 */
final class Lab implements AutoCloseable {
  static final int HTTP = 7411;
  static final int VOTES = 7511;
  private static final Path FAKETIME =
      Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1");

  /** Room for what a load of so long writes, beside what a harm fills. */
  private static final int DISK_MEGABYTES =
      160 + 16 * Integer.getInteger("entente.nemesis.seconds", 1);

  private static final long DELAY_MILLIS = 3;

  private final Path folder;
  private final List<String> names;
  private final String id = Long.toString(ProcessHandle.current().pid() % 46_656, 36);
  private final int net = (int) (ProcessHandle.current().pid() % 200) + 20;
  private final Map<String, LabDisk> disks = new TreeMap<>();

  /** By source and target, such as {@code "a>b"}: what leads there. */
  private final Map<String, List<DelayingProxy>> ways = new TreeMap<>();

  private @Nullable HttpClient http;

  private Lab(Path folder, List<String> names) {
    this.folder = folder;
    this.names = List.copyOf(names);
  }

  /** Builds the network; what was built is removed again where that fails. */
  static Lab of(Path folder, List<String> names) throws IOException, InterruptedException {
    Lab lab = new Lab(folder, names);
    try {
      lab.build();
      return lab;
    } catch (IOException | InterruptedException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  private void build() throws IOException, InterruptedException {
    // Processes in a network of their own see disks come and go only below what is shared.
    run("mount", "--bind", folder.toString(), folder.toString());
    run("mount", "--make-shared", folder.toString());
    run("ip", "link", "add", bridge(), "type", "bridge");
    run("ip", "addr", "add", "10." + net + ".0.1/24", "dev", bridge());
    run("ip", "link", "set", bridge(), "up");
    for (String name : names) {
      wire(name);
    }
    for (String from : names) {
      StringBuilder rules =
          new StringBuilder("table ip lab { chain ways { type nat hook output priority -100;\n");
      for (String to : names) {
        if (!to.equals(from)) {
          rules.append(way(from, to, HTTP)).append(way(from, to, VOTES));
        }
      }
      rules.append("}\nchain lost { type filter hook input priority 0;\n}\n");
      rules.append("chain cut { type filter hook output priority 0;\n}\n}");
      nft(from, rules.toString());
    }
    certify();
  }

  private HttpClient client() {
    HttpClient known = http;
    if (known == null) {
      String first = names.getFirst();
      NodeTls tls = NodeTls.of(file(first + ".pem"), file(first + ".key"), file("ca.pem"));
      known =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .connectTimeout(Duration.ofSeconds(3))
              .sslContext(tls.context())
              .build();
      http = known;
    }
    return known;
  }

  /** Why there can be no such network here; empty where there can. */
  static Optional<String> whyNot() {
    if (!"root".equals(System.getProperty("user.name"))) {
      return Optional.of("only root can make network namespaces");
    }
    for (String tool :
        List.of("ip -V", "nft -v", "openssl version", "ip netns add entente-probe")) {
      try {
        run(tool.split(" "));
      } catch (IOException | InterruptedException e) {
        return Optional.of("not to be had here: " + tool);
      }
    }
    try {
      run("ip", "netns", "del", "entente-probe");
    } catch (IOException | InterruptedException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
    return Files.exists(FAKETIME) ? LabDisk.whyNot() : Optional.of("there is no libfaketime here");
  }

  private String bridge() {
    return "ent" + id;
  }

  private String space(String name) {
    return "ent" + id + name;
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  private Path clock(String name) {
    return file(name + ".clock");
  }

  String address(String name) {
    return "10." + net + ".0." + (10 + names.indexOf(name));
  }

  private void wire(String name) throws IOException, InterruptedException {
    String outside = "v" + id + name;
    run("ip", "netns", "add", space(name));
    run("ip", "link", "add", outside, "type", "veth", "peer", "name", "e0", "netns", space(name));
    run("ip", "link", "set", outside, "master", bridge(), "up");
    in(name, "ip", "addr", "add", address(name) + "/24", "dev", "e0");
    in(name, "ip", "link", "set", "e0", "up");
    in(name, "ip", "link", "set", "lo", "up");
    disks.put(name, new LabDisk(file("disk-" + name), DISK_MEGABYTES));
  }

  /** The last of what a node complained of. */
  String lastErrors(String name) throws IOException {
    return RealNode.lastErrors(data(name));
  }

  LabDisk disk(String name) {
    LabDisk disk = disks.get(name);
    if (disk == null) {
      throw new IllegalStateException(name + " has no disk");
    }
    return disk;
  }

  /** What a node keeps, on its disk. */
  Path data(String name) {
    return disk(name).at().resolve("node");
  }

  private String way(String from, String to, int port) throws IOException {
    DelayingProxy proxy =
        new DelayingProxy(
            InetAddress.getByName("10." + net + ".0.1"),
            new InetSocketAddress(address(to), port),
            DELAY_MILLIS);
    ways.computeIfAbsent(from + ">" + to, _ -> new ArrayList<>()).add(proxy);
    return "ip daddr %s tcp dport %d dnat to 10.%d.0.1:%d%n"
        .formatted(address(to), port, net, proxy.port());
  }

  private void certify() throws IOException, InterruptedException {
    StringBuilder script = new StringBuilder("set -e\ncd " + folder + "\n");
    script.append(
        "faketime -f -2d openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key -out ca.pem -days 3650 -subj /CN=entente\n");
    for (String name : names) {
      script.append(
          """
          openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout %1$s.key -subj /CN=%1$s -out %1$s.csr
          faketime -f -2d openssl x509 -req -in %1$s.csr -CA ca.pem -CAkey ca.key -days 365 \
            -extfile <(echo subjectAltName=IP:%2$s) -out %1$s.pem
          """
              .formatted(name, address(name)));
    }
    run("bash", "-c", script.toString());
  }

  /** Starts a node on its machine. */
  RealNode start(String name) throws IOException {
    return start(name, Map.of());
  }

  /** Starts a node on its machine, with a clock that {@link #move} moves; it runs slower so. */
  RealNode startWithOwnClock(String name) throws IOException {
    move(name, 0);
    return start(
        name,
        Map.of(
            "LD_PRELOAD",
            FAKETIME.toString(),
            "FAKETIME_TIMESTAMP_FILE",
            clock(name).toString(),
            "FAKETIME_CACHE_DURATION",
            "1",
            "DONT_FAKE_MONOTONIC",
            "1"));
  }

  private RealNode start(String name, Map<String, String> more) throws IOException {
    Map<String, String> environment = new TreeMap<>(more);
    environment.put("ENTENTE_SECRET", "a secret of the cluster");
    List<String> peers = new ArrayList<>();
    List<String> voters = new ArrayList<>();
    for (String other : names) {
      voters.add(other + "=" + address(other) + ":" + VOTES);
      if (!other.equals(name)) {
        peers.add("https://" + address(other) + ":" + HTTP);
      }
    }
    return RealNode.start(
        List.of("ip", "netns", "exec", space(name)),
        client(),
        data(name),
        environment,
        "--name",
        name,
        "--host",
        address(name),
        "--port",
        String.valueOf(HTTP),
        "--advertise",
        "https://" + address(name) + ":" + HTTP,
        "--peers",
        String.join(",", peers),
        "--voters",
        String.join(",", voters),
        "--tls-cert",
        file(name + ".pem").toString(),
        "--tls-key",
        file(name + ".key").toString(),
        "--tls-ca",
        file("ca.pem").toString());
  }

  /** From here on no packet goes from one node to another; answers to the other still do. */
  void cut(String from, String to) throws IOException, InterruptedException {
    for (DelayingProxy way : ways.getOrDefault(from + ">" + to, List.of())) {
      nft(from, "add rule ip lab cut tcp dport " + way.port() + " drop");
    }
  }

  /** Of so many thousand pieces that go from or to a node one is damaged. */
  void damage(String name, int perThousand) {
    ways.forEach((way, proxies) -> {
      if (way.startsWith(name + ">") || way.endsWith(">" + name)) {
        proxies.forEach(proxy -> proxy.damage(perThousand));
      }
    });
  }

  /** A share of the packets that come in is lost. */
  void lose(String name, int percent) throws IOException, InterruptedException {
    nft(name, "add rule ip lab lost numgen random mod 100 < " + percent + " drop");
  }

  /** All lines are whole again. */
  void heal() throws IOException, InterruptedException {
    for (String name : names) {
      nft(name, "flush chain ip lab cut; flush chain ip lab lost");
    }
  }

  /** A node's clock is so far off from here on. */
  void move(String name, long seconds) throws IOException {
    Files.writeString(clock(name), (seconds < 0 ? "" : "+") + seconds + "s");
  }

  private void nft(String name, String rules) throws IOException, InterruptedException {
    in(name, "nft", rules);
  }

  private void in(String name, String... command) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", space(name)));
    all.addAll(List.of(command));
    run(all.toArray(String[]::new));
  }

  static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": " + said.strip());
    }
    return said;
  }

  @Override
  public void close() throws IOException {
    for (List<DelayingProxy> proxies : ways.values()) {
      for (DelayingProxy proxy : proxies) {
        proxy.close();
      }
    }
    disks.values().forEach(LabDisk::close);
    quietly("umount", "-l", folder.toString());
    for (String name : names) {
      quietly("ip", "netns", "del", space(name));
    }
    quietly("ip", "link", "del", bridge());
  }

  static @Nullable IOException quietly(String... command) {
    try {
      run(command);
      return null;
    } catch (IOException e) {
      return e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }
}
