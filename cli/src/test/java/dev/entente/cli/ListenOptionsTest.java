// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.store.Folders;
import dev.entente.server.Certificates;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Addresses and certificates that cannot be used stop the start before there is a store. */
class ListenOptionsTest {
  @TempDir static Path shared;
  private static Certificates certificates;

  @TempDir Path folder;

  @BeforeAll
  static void certificates() throws Exception {
    certificates = new Certificates(shared.resolve("ca"));
    certificates.sign("eu");
    certificates.sign("us");
  }

  private void refuses(List<String> options, String... parts) {
    List<String> arguments = new ArrayList<>(List.of("serve", "--port=0"));
    arguments.add("--data=" + folder.resolve("data"));
    arguments.addAll(options);
    StringWriter err = new StringWriter();
    int code =
        Main.commands()
            .setErr(new PrintWriter(err, true))
            .execute(arguments.toArray(String[]::new));
    assertThat(err.toString().strip()).as(options.toString()).contains(parts).hasLineCount(1);
    assertThat(code).isEqualTo(ExitCodes.BAD_INPUT);
    assertThat(folder.resolve("data")).doesNotExist();
  }

  private List<String> tls(Object certificate, Object key, Object authority) {
    return List.of("--tls-cert=" + certificate, "--tls-key=" + key, "--tls-ca=" + authority);
  }

  @Test
  void aPartOfTheCertificateSettingsIsRefused() {
    List<String> all =
        tls(certificates.certificate("eu"), certificates.key("eu"), certificates.authority());
    for (int bits = 1; bits < 7; bits++) {
      List<String> some = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        if ((bits >> i & 1) == 1) {
          some.add(all.get(i));
        }
      }
      refuses(some, "--tls-cert, --tls-key and --tls-ca go together");
    }
  }

  @Test
  void filesThatCannotBeUsedAreNamed() throws Exception {
    Path eu = certificates.certificate("eu");
    Path key = certificates.key("eu");
    Path ca = certificates.authority();
    Path missing = folder.resolve("missing.pem");
    Path empty = Files.writeString(folder.resolve("empty.pem"), "");
    refuses(tls(missing, key, ca), "missing.pem", "no such file");
    refuses(tls(eu, missing, ca), "missing.pem", "no such file");
    refuses(tls(eu, key, missing), "missing.pem", "no such file");
    refuses(tls(empty, key, ca), "empty.pem");
    refuses(tls(eu, empty, ca), "empty.pem");
    refuses(tls(eu, key, empty), "empty.pem");
    refuses(tls(folder, key, ca), folder.toString());
    refuses(tls("", key, ca), "--tls-cert");
    refuses(tls(eu, certificates.key("us"), ca), "is not the key of the certificate");
  }

  @Test
  void aCertificateThatNobodyWouldBelieveIsRefused() throws Exception {
    Certificates others = new Certificates(folder.resolve("others"));
    refuses(
        tls(certificates.certificate("eu"), certificates.key("eu"), others.authority()),
        "cannot be verified");
  }

  @Test
  void aCertificateThatMaySignNoOthersIsNoAuthority() throws Exception {
    Path eu = certificates.certificate("eu");
    Path key = certificates.key("eu");
    refuses(tls(eu, key, certificates.certificate("us")), "--tls-ca", "us.pem", "CA:TRUE");
    refuses(tls(eu, key, eu), "--tls-ca", "eu.pem", "may not sign others");
    Path mixed =
        Files.writeString(
            folder.resolve("mixed.pem"),
            Files.readString(certificates.authority()) + Files.readString(eu));
    refuses(tls(eu, key, mixed), "--tls-ca", "mixed.pem");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NodeTls.trusting("ENTENTE_CA", eu))
        .withMessageContaining("ENTENTE_CA")
        .withMessageContaining("may not sign others");
  }

  private List<String> tls(String name) {
    return tls(certificates.certificate(name), certificates.key(name), certificates.authority());
  }

  @Test
  void aCertificateOutsideItsDatesIsRefusedAndTheDateIsSaid() throws Exception {
    certificates.signExpired("old");
    refuses(tls("old"), "old.pem expired at 20", "replace it");
    certificates.signEarly("new");
    refuses(tls("new"), "new.pem is not valid before 20", "check the clock");
    Certificates past = Certificates.ofExpiredAuthority(folder.resolve("past"));
    past.sign("eu");
    refuses(
        tls(past.certificate("eu"), past.key("eu"), past.authority()),
        "the authority",
        "ca.pem expired at 20");
  }

  @Test
  void certificatesThatAreNotInOrderAreRefused() throws Exception {
    List<String> chain =
        List.of(
            Files.readString(certificates.certificate("eu")).split("(?<=END CERTIFICATE-----)"));
    Path reversed =
        Files.writeString(folder.resolve("reversed.pem"), chain.get(1) + "\n" + chain.get(0));
    Path key = certificates.key("eu");
    Path ca = certificates.authority();
    refuses(tls(reversed, key, ca), "reversed.pem are not in order", "the node's is first");
    Path stranger =
        Files.writeString(
            folder.resolve("stranger.pem"),
            chain.get(0) + "\n" + Files.readString(certificates.certificate("us")));
    refuses(tls(stranger, key, ca), "stranger.pem are not in order");
  }

  @Test
  void aCertificateThatOtherNodesWouldRefuseIsRefused() throws Exception {
    Path secret = Folders.createFile(folder.resolve("secret"));
    Files.writeString(secret, "a secret of the cluster");
    List<String> elsewhere = new ArrayList<>(tls("eu"));
    elsewhere.add("--secret-file=" + secret);
    elsewhere.add("--advertise=https://eu.example.org:7400");
    refuses(elsewhere, "--advertise", "eu.pem does not name eu.example.org", "subjectAltName");
    certificates.signForServersOnly("shown");
    List<String> shown = new ArrayList<>(tls("shown"));
    shown.add("--secret-file=" + secret);
    refuses(shown, "shown.pem cannot be verified", "client authentication");
  }

  @Test
  void plainHttpBeyondThisMachineIsRefused() {
    refuses(List.of("--host=0.0.0.0"), "0.0.0.0", "--tls-cert", "--insecure-http");
    refuses(List.of("--host=::"), "--insecure-http");
    refuses(List.of("--host="), "--host is empty");
  }
}
