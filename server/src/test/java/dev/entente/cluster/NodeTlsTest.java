// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.server.Certificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates that are replaced while a node serves. */
class NodeTlsTest {
  @TempDir Path folder;

  private static void touch(Path file, long second) throws IOException {
    Files.setLastModifiedTime(file, FileTime.fromMillis(second * 1_000));
  }

  @Test
  void aReplacementThatNobodyWouldTrustReplacesNothing() throws Exception {
    Certificates certificates = new Certificates(folder);
    certificates.sign("eu");
    Path file = certificates.certificate("eu");
    NodeTls tls = NodeTls.of(file, certificates.key("eu"), certificates.authority());
    NodeTls.Identity first = tls.identity();

    certificates.signExpired("eu");
    touch(file, 1);
    tls.reload();
    assertThat(tls.identity()).as("expired").isSameAs(first);

    Files.writeString(file, "no certificate");
    touch(file, 2);
    tls.reload();
    assertThat(tls.identity()).as("damaged").isSameAs(first);

    certificates.signWithoutHosts("eu");
    touch(file, 3);
    tls.reload();
    assertThat(tls.identity()).as("valid").isNotSameAs(first);
    assertThat(tls.namesHosts()).isFalse();
  }
}
