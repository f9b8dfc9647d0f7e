// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.NodeTls;
import dev.entente.server.Certificates;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The end of a certificate is announced. */
class CertificateSensorTest {
  @TempDir Path folder;

  @Test
  void theEndOfACertificateIsAnnouncedTwoWeeksAheadAndCriticalOnceItIsOver() throws Exception {
    Certificates certificates = new Certificates(folder);
    certificates.sign("eu");
    List<X509Certificate> chain =
        NodeTls.of(certificates.certificate("eu"), certificates.key("eu"), certificates.authority())
            .chain();
    Instant end = chain.getFirst().getNotAfter().toInstant();
    Instant sooner = chain.getLast().getNotAfter().toInstant();
    Instant first = sooner.isBefore(end) ? sooner : end;
    assertThat(CertificateSensor.look(chain, first.minus(Duration.ofDays(15)))).isEmpty();
    assertThat(CertificateSensor.look(chain, first.minus(Duration.ofDays(13))))
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.rule()).isEqualTo("certificate-expires");
          assertThat(finding.critical()).isFalse();
          assertThat(finding.summary()).contains(first.toString());
        });
    assertThat(CertificateSensor.look(chain, first))
        .singleElement()
        .satisfies(finding -> assertThat(finding.critical()).isTrue());
  }
}
