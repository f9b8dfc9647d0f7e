// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Looks at the dates of the certificates with which a node serves. */
public final class CertificateSensor {
  /** How long before the end of a certificate an alert is raised. */
  static final Duration AHEAD = Duration.ofDays(14);

  private CertificateSensor() {}

  /**
   * What is wrong, or soon will be.
   *
   * @param chain the node's certificate, and those between it and the authority's
   */
  public static List<Finding> look(List<X509Certificate> chain, Instant now) {
    List<Finding> found = new ArrayList<>();
    chain.stream()
        .map(certificate -> certificate.getNotAfter().toInstant())
        .min(Instant::compareTo)
        .filter(end -> end.isBefore(now.plus(AHEAD)))
        .ifPresent(end -> {
          boolean over = !end.isAfter(now);
          found.add(
              new Finding(
                  "certificate-expires",
                  over,
                  "",
                  "",
                  0,
                  over
                      ? "The certificate expired at "
                          + end
                          + ": clients and other nodes refuse connections, and the node would not"
                          + " start again"
                      : "The certificate expires at " + end,
                  "write a new one into the files of --tls-cert and --tls-key; they are read"
                      + " again"));
        });
    return found;
  }
}
