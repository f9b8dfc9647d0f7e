// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.NodeTls;
import dev.entente.server.Problem.Code;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The host names that a node answers to. A page of somebody else's can have its own name lead to
 * this node's address (DNS rebinding), and is then of the same origin as the node for the browser;
 * the name in its requests gives it away. So only names are served that nobody else can give out:
 * those of this machine, those that the node's certificate and its advertised address hold, and
 * those that were configured. A number is no name: no page comes from it but this node's.
 */
final class HostNames {
  private static final Pattern NAME =
      Pattern.compile("[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?", Pattern.CASE_INSENSITIVE);
  private static final Pattern PORT = Pattern.compile(":[0-9]{0,5}$");
  private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
  private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-f:.]{2,45}]");

  private final Set<String> names = new TreeSet<>();
  private final Optional<NodeTls> tls;

  HostNames(ServerConfig config) {
    this.tls = config.tls();
    names.add("localhost");
    names.add(normal(config.listener().host()));
    config.listener().names().forEach(name -> names.add(normal(name)));
    config
        .peering()
        .map(Peering::url)
        .filter(url -> !url.isEmpty())
        .map(url -> URI.create(url).getHost())
        .ifPresent(name -> names.add(normal(name)));
  }

  /** Whether this can be the name of a host, without scheme and port. */
  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /** Without port, final dot and capitals. */
  private static String normal(String host) {
    String name = PORT.matcher(host.strip().toLowerCase(Locale.ROOT)).replaceFirst("");
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  /** Refuses a request under a name that is not served. What sends none is no browser. */
  void require(Call call) {
    String host = call.header("host").orElse("");
    if (!host.isBlank() && !isServed(normal(host))) {
      throw new Problem(
          Code.MISDIRECTED,
          "this node does not serve the host name '"
              + normal(host)
              + "', so that no page of another site can reach it by a name of its own. It serves"
              + " addresses in numbers, "
              + String.join(", ", served())
              + "; where this is one of its names, start it with --host-names");
    }
  }

  private boolean isServed(String name) {
    return names.contains(name)
        || name.endsWith(".localhost")
        || IPV4.matcher(name).matches()
        || IPV6.matcher(name).matches()
        || served().contains(name);
  }

  /** With those of the certificate as it is now. */
  private Set<String> served() {
    Set<String> all = new TreeSet<>(names);
    tls.ifPresent(
        proof -> NodeTls.names(proof.chain().getFirst()).forEach(name -> all.add(normal(name))));
    return all;
  }
}
