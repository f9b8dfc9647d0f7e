// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.NodeTls;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a server listens and with which certificate. Plain HTTP beyond the loopback interface sends
 * tokens and records unencrypted, so it is refused unless it is expressly allowed.
 *
 * @param host the address or host name to listen on
 * @param port the port, 0 for any free one
 * @param tls the certificate shown to clients and other nodes; without it the server speaks HTTP
 * @param insecureHttp whether plain HTTP is allowed on an address that other machines can reach
 * @param names further names by which clients reach it
 */
public record Listener(
    String host, int port, Optional<NodeTls> tls, boolean insecureHttp, List<String> names) {
  private static final int PORT_MAX = 65_535;

  /** Checks the settings; the message of the exception says what to change. */
  public Listener {
    names = List.copyOf(names);
    for (String name : names) {
      if (!HostNames.isName(name)) {
        throw new IllegalArgumentException(
            "--host-names takes names such as entente.example.org, without scheme and port, not '"
                + name
                + "'");
      }
    }
    if (port < 0 || port > PORT_MAX) {
      throw new IllegalArgumentException(
          "--port takes a number from 0 to " + PORT_MAX + ", not " + port);
    }
    if (tls.isPresent() && insecureHttp) {
      throw new IllegalArgumentException(
          "--insecure-http allows plain HTTP, but --tls-cert makes the node speak HTTPS only:"
              + " leave one of them out");
    }
    if (tls.isEmpty() && !insecureHttp && !isLoopback(host)) {
      throw new IllegalArgumentException(
          "--host "
              + host
              + " can be reached by other machines, and plain HTTP is refused there: give"
              + " --tls-cert, --tls-key and --tls-ca, listen on 127.0.0.1 behind a proxy that"
              + " speaks HTTPS, or allow it with --insecure-http");
    }
  }

  /** Without further names. */
  public Listener(String host, int port, Optional<NodeTls> tls, boolean insecureHttp) {
    this(host, port, tls, insecureHttp, List.of());
  }

  /** Plain HTTP on an address of the loopback interface. */
  public static Listener local(String host, int port) {
    return new Listener(host, port, Optional.empty(), false);
  }

  /** Whether only this machine can connect. */
  public boolean isLoopback() {
    return isLoopback(host);
  }

  private static boolean isLoopback(String host) {
    if (host.isBlank()) {
      throw new IllegalArgumentException("--host takes an address to listen on, such as 127.0.0.1");
    }
    try {
      return Stream.of(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "--host " + host + " is neither an address nor a host name that this machine knows", e);
    }
  }
}
