// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.cluster.NodeTls;
import dev.entente.server.Listener;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a node listens, and the certificate that it shows to clients and to other nodes. */
final class ListenOptions {
  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "The port (default: ${DEFAULT-VALUE}; 0 takes any free one).")
  int port = 7400;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "The address to listen on (default: ${DEFAULT-VALUE}, this machine only).")
  String host = "127.0.0.1";

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description =
          "The node's certificate (PEM); in a cluster its name (CN) is the node's. With --tls-key"
              + " and --tls-ca the node speaks HTTPS only, to clients and to other nodes. Files"
              + " that change are read again.")
  @Nullable Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "The certificate's key (PEM, PKCS #8).")
  @Nullable Path key;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "The certificate of the authority that signs those of all nodes (PEM).")
  @Nullable Path authority;

  @Option(
      names = "--insecure-http",
      description =
          "Allow plain HTTP on an address that other machines can reach: tokens and records then"
              + " travel unencrypted.")
  boolean insecureHttp;

  @Option(
      names = "--host-names",
      split = ",",
      paramLabel = "NAME",
      description =
          "Further host names by which clients reach the node, as behind a proxy. Served are"
              + " addresses in numbers, localhost, the names in the certificate and that in"
              + " --advertise; requests under another name are refused with 421.")
  List<String> hostNames = List.of();

  /**
   * The address and certificate to listen with.
   *
   * @throws IllegalArgumentException where they cannot be used; the message says what to do
   */
  Listener listener() {
    return new Listener(host, port, tls(), insecureHttp, hostNames);
  }

  private Optional<NodeTls> tls() {
    if (certificate == null && key == null && authority == null) {
      return Optional.empty();
    }
    if (certificate == null || key == null || authority == null) {
      throw new IllegalArgumentException(
          "--tls-cert, --tls-key and --tls-ca go together: give all three or none");
    }
    requireNamed("--tls-cert", certificate);
    requireNamed("--tls-key", key);
    requireNamed("--tls-ca", authority);
    NodeTls tls = NodeTls.of(certificate, key, authority);
    tls.requireValid();
    return Optional.of(tls);
  }

  private static void requireNamed(String option, Path file) {
    if (file.toString().isBlank()) {
      throw new IllegalArgumentException(option + " takes the path of a file, and got none");
    }
  }
}
