// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every setting of {@code serve} in its three forms: an empty, misspelt or unusable one stops the
 * start, and the message names it. A new setting needs a row.
 */
class ServeSettingsTest {
  /** Values that are refused where the setting is given alone; none where every value is good. */
  private static final Map<String, List<String>> ROWS = new TreeMap<>();

  static {
    ROWS.put("data", List.of("TEXT", "TEXT/below"));
    ROWS.put("tenant", List.of("a\u200bb", "_entente"));
    ROWS.put("name", List.of("a b", "eu.1", "group", "\u00fcber", "x".repeat(49)));
    ROWS.put("config", List.of("missing", ".", "EMPTY", "BINARY"));
    ROWS.put("policies", List.of("missing", "EMPTY"));
    ROWS.put("traces", List.of("x", "ftp://h", "http://", "http://a b", "http://h:99999"));
    ROWS.put("trace-ratio", List.of("0.1", "x", "-0.1", "1.1", "NaN"));
    ROWS.put("smtp-host", List.of("a host", "http://h"));
    ROWS.put("smtp-port", List.of("x", "0", "-1", "65536", "25", "587"));
    ROWS.put("webhooks-inside", List.of("yes", "1"));
    ROWS.put("insecure-http", List.of("yes", "1"));
    for (String number : List.of("checkpoint-every", "retention", "alert-pending")) {
      ROWS.put(number, List.of("x", "-1", "99999999999"));
    }
    ROWS.put("scrub-every", List.of("x", "-1"));
    ROWS.put("scrub-rate", List.of("x", "0", "-1"));
    ROWS.put("keep-checkpoints-count", List.of("x", "-1"));
    ROWS.put("recovery-attempts", List.of("x", "0", "-1", "1001"));
    ROWS.put("heal-within", List.of("x", "0", "-1"));
    ROWS.put("retention-versions", List.of("x", "-1", "10001"));
    for (String number : List.of("keep-checkpoints", "alert-conflicts", "alert-lag")) {
      ROWS.put(number, List.of("x", "0", "-1", "99999999999999999999"));
    }
    ROWS.put("alert-clock", List.of("x", "0", "-1", "1.5"));
    ROWS.put("alert-p99", List.of("x", "0", "-1", "NaN"));
    ROWS.put("log", List.of("x"));
    ROWS.put("auto-recovery", List.of("yes", "x"));
    ROWS.put("log-level", List.of("x"));
    ROWS.put("port", List.of("x", "-1", "65536"));
    ROWS.put("host", List.of("0.0.0.0", "::", "no such host"));
    for (String file : List.of("tls-cert", "tls-key", "tls-ca")) {
      ROWS.put(file, List.of("missing", ".", "EMPTY", "BINARY"));
    }
    ROWS.put("host-names", List.of("http://entente.example", "a b", "entente.example:8080", "*"));
    ROWS.put("peers", List.of("http://127.0.0.1:1", "127.0.0.1:1", "ftp://h"));
    ROWS.put("voters", List.of("eu=127.0.0.1:1", "eu", "eu=h", "eu=h:0", "eu=h:65536", "=h:1"));
    ROWS.put("administrator-keys", List.of("x", "token-of-the-administrator"));
    ROWS.put("advertise", List.of("http://127.0.0.1:1", "eu.example.org", "http://h/?a=b"));
    ROWS.put("vote-key", List.of("missing", ".", "EMPTY", "BINARY", "TEXT"));
    ROWS.put("secret-file", List.of("missing", ".", "EMPTY", "BINARY", "SHORT"));
    ROWS.put("oidc-issuer", List.of("x", "http://issuer.example", "https://"));
    ROWS.put("oidc-audience", List.of("other", "entente"));
    ROWS.put("oidc-keys", List.of("missing", "https://issuer.example/keys"));
    ROWS.put("oidc-name-claim", List.of("email"));
    for (String limit : List.of("rate-limit", "record-rate-limit", "tenant-rate-limit")) {
      ROWS.put(limit, List.of("-1", "x", "1000001", "2147483647", "99999999999"));
    }
    ROWS.put("smtp-from", List.of("a@b.example", "nobody"));
    ROWS.put("smtp-user", List.of("u"));
    ROWS.put("smtp-plain", List.of("true", "yes"));
    ROWS.put("insecure-smtp", List.of("true", "yes"));
  }

  private static final List<String> FILES =
      List.of("EMPTY", "BINARY", "TEXT", "TEXT/below", "SHORT", "missing", ".");

  @TempDir Path folder;

  @BeforeEach
  void files() throws IOException {
    for (String name : List.of("EMPTY", "BINARY", "TEXT", "SHORT")) {
      Folders.createFile(folder.resolve(name));
    }
    Files.writeString(folder.resolve("TEXT"), "a text of some length that is no key");
    Files.writeString(folder.resolve("SHORT"), "short");
    Files.writeString(folder.resolve("EMPTY"), "\n");
    Files.write(folder.resolve("BINARY"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
  }

  private ServeRun run(Map<String, String> environment, String... options) {
    return ServeRun.of(folder, environment, options);
  }

  private String value(String row) {
    return FILES.contains(row) ? folder.resolve(row).toString() : row;
  }

  private String config(String name, String value) {
    try {
      return Files.writeString(folder.resolve("config"), name + "=" + value.replace("\\", "\\\\"))
          .toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void refused(ServeRun run, String... parts) {
    run.refused(parts);
  }

  @Test
  void everySettingHasARow() {
    assertThat(ROWS.keySet()).isEqualTo(new TreeSet<>(ServeRun.names()));
  }

  @Test
  void unusableValuesAreRefusedInEveryForm() {
    ROWS.forEach((name, values) -> {
      for (String row : values) {
        String value = value(row);
        refused(run(Map.of(), "--" + name + "=" + value), name);
        refused(run(Map.of(ServeRun.variable(name), value)), name);
        refused(run(Map.of(), "--config=" + config(name, value)), name);
      }
    });
  }

  @Test
  void emptyValuesAreRefusedInEveryForm() {
    for (String name : ServeRun.names()) {
      refused(run(Map.of(), "--" + name + "="), name);
      refused(run(Map.of(), "--config=" + config(name, "")), name);
      refused(
          run(Map.of(ServeRun.variable(name), " ")),
          name.equals("data") ? "--data" : ServeRun.variable(name));
    }
    for (String secret : Settings.SECRETS) {
      refused(run(Map.of(secret, "")), secret);
    }
  }

  @Test
  void misspeltNamesAreRefusedInEveryForm() {
    for (String name : ServeRun.names()) {
      for (String misspelt : List.of(name + "x", name.substring(0, name.length() - 1))) {
        if (ServeRun.names().contains(misspelt)) {
          continue;
        }
        refused(run(Map.of(), "--" + misspelt + "=1"), misspelt);
        refused(run(Map.of(ServeRun.variable(misspelt), "1")), ServeRun.variable(misspelt));
        refused(run(Map.of(), "--config=" + config(misspelt, "1")), misspelt);
      }
    }
    for (String secret : Settings.SECRETS) {
      refused(run(Map.of(secret + "S", "a secret of the cluster")), secret + "S");
    }
    for (String name : List.of("TLS_CERTIFICATE", "CERT_FILE", "HTTPS_KEY", "ADMIN_PASSWORD")) {
      refused(run(Map.of("ENTENTE_" + name, "x")), "ENTENTE_" + name);
    }
  }

  @Test
  void aNameThatIsGivenTwiceIsRefused() throws IOException {
    Path twice = Files.writeString(folder.resolve("twice"), "port=0\nhost=::1\nport=7400");
    refused(run(Map.of(), "--config=" + twice), "twice: port is given twice");
    refused(run(Map.of(), "--port=0", "--port=7400"), "--port");
  }

  @Test
  void aFileThatHoldsNoSettingsIsRefusedWithoutRepeatingIt() throws IOException {
    String secret = "MC4CAQAwBQYDK2VwBCIEIHidden";
    for (String text :
        List.of(
            "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----",
            secret,
            secret + "==",
            "# a passphrase\ncorrect " + secret,
            "port=7400\n" + secret + secret + "=x",
            "{\"token\": \"" + secret + "\"}")) {
      Path file = Files.writeString(folder.resolve("wrong"), text);
      ServeRun run = run(Map.of(), "--config=" + file);
      refused(run, "--config");
      assertThat(run.said()).doesNotContain("Hidden").doesNotContain("BEGIN");
    }
    Path good = folder.resolve("good");
    Files.writeString(good, "# x\n! y\n\n port : 0\nhost-names = a.example,\\\n  b.example\n");
    run(Map.of(), "--config=" + good).accepted();
    Path keys = Files.writeString(folder.resolve("keys"), secret);
    ServeRun run = run(Map.of(), "--oidc-issuer=https://i.example", "--oidc-keys=" + keys);
    refused(run, "--oidc-keys");
    assertThat(run.said()).doesNotContain("Hidden");
  }

  @Test
  void aTenantWithoutPoliciesIsRefusedButForClientsIsNone() {
    refused(run(Map.of(), "--tenant=main"), "--tenant", "--policies");
    run(Map.of("ENTENTE_TENANT", "main"), "--port=0").accepted();
  }

  @Test
  void anEmptyPartOfAListIsRefused() {
    String secret = "a secret of the cluster";
    refused(run(Map.of(), "--host-names=a,,b"), "--host-names");
    for (String list : List.of("peers", "voters", "administrator-keys")) {
      refused(run(Map.of("ENTENTE_SECRET", secret), "--" + list + "=,"), list);
    }
  }

  @Test
  void unencryptedMailLeavesTheMachineOnlyWhereItIsAllowed() {
    String[] far = {"--smtp-host=mail.example", "--smtp-from=a@b.example", "--smtp-plain"};
    refused(run(Map.of(), far), "--smtp-plain", "mail.example", "--insecure-smtp");
    List<String> allowed = new ArrayList<>(List.of(far));
    allowed.add("--insecure-smtp");
    run(Map.of(), allowed.toArray(String[]::new)).accepted();
    for (String near : List.of("127.0.0.1", "::1", "[::1]", "localhost")) {
      String host = "--smtp-host=" + near;
      run(Map.of(), host, "--smtp-from=a@b.example", "--smtp-plain").accepted();
      refused(
          run(Map.of(), host, "--smtp-from=a@b.example", "--smtp-plain", "--insecure-smtp"),
          "--insecure-smtp has no effect");
    }
  }

  @Test
  void theSecretOfTheClusterLeavesTheMachineUnencryptedOnlyWhereItIsAllowed() {
    Map<String, String> secret = Map.of("ENTENTE_SECRET", "a secret of the cluster");
    for (String option : List.of("--peers=", "--advertise=")) {
      for (String far : List.of("192.0.2.2", "us.example", "[2001:db8::1]", "0.0.0.0")) {
        String url = option + "http://" + far + ":9460";
        refused(run(secret, url), option.replace("=", ""), far, "--insecure-http");
        run(secret, url, "--insecure-http").accepted();
      }
      for (String near : List.of("127.0.0.1", "127.0.0.2", "[::1]", "localhost")) {
        run(secret, option + "http://" + near + ":9460").accepted();
      }
    }
    refused(run(secret, "--peers=http://127.0.0.1:1,http://192.0.2.2:1"), "192.0.2.2");
  }

  @Test
  void variablesOfSomethingElseAreReported() {
    assertThat(run(Map.of("ENTENTE_QUARTERLY", "1")).said()).contains("ENTENTE_QUARTERLY");
    Map<String, String> kubernetes =
        Map.of(
            "ENTENTE_SERVICE_HOST", "10.0.0.1",
            "ENTENTE_PORT_7400_TCP", "tcp://10.0.0.1:7400",
            "ENTENTE_EU_SERVICE_PORT_HTTPS", "7400",
            "ENTENTE_EU_PORT", "tcp://10.0.0.1:7400",
            "ENTENTE_EU_PORT_7400_TCP_ADDR", "10.0.0.1");
    assertThat(run(kubernetes).said()).doesNotContain("ENTENTE_");
  }

  @Test
  void aTokenThatCannotBeUsedIsRefusedBeforeTheStoreIsOpened() throws IOException {
    for (String token : List.of("two words", "a\tb", "\u00fcber")) {
      refused(run(Map.of("ENTENTE_TOKEN", token)), "ENTENTE_TOKEN", "no client could send it");
    }
    for (String token : List.of("x", "fifteen-letters")) {
      refused(run(Map.of("ENTENTE_TOKEN", token)), "ENTENTE_TOKEN", "fewer than 16 characters");
    }
    refused(run(Map.of("ENTENTE_TOKEN", "\u00e4".repeat(24))), "no client could send it");
    Path data = Files.createDirectory(folder.resolve("data"));
    Folders.createFile(data.resolve("token"));
    for (String kept : List.of("x", "\u00e4".repeat(24), "one-of-two-tokens\nanother-of-the-two")) {
      Files.writeString(data.resolve("token"), kept);
      refused(run(Map.of(), "--data=" + data), "the administrator's token in " + data);
    }
    Files.writeString(data.resolve("token"), "the-token-in-force");
    refused(
        run(Map.of("ENTENTE_TOKEN", "another-token-than-it"), "--data=" + data),
        "ENTENTE_TOKEN is another token",
        "unset it");
    assertThat(data.resolve("store")).doesNotExist();
  }

  @Test
  void secretsThatHaveNoEffectAreRefused() throws IOException {
    Path secret = folder.resolve("secret");
    Folders.createFile(secret);
    Files.writeString(secret, "a secret of the cluster");
    String option = "--secret-file=" + secret;
    refused(run(Map.of("ENTENTE_SECRET", "another secret of it"), option), "ENTENTE_SECRET");
    refused(run(Map.of("ENTENTE_SECRET", "short")), "16 characters");
    refused(run(Map.of("ENTENTE_SMTP_PASSWORD", "p")), "--smtp-host");
    refused(
        run(Map.of("ENTENTE_SMTP_PASSWORD", "p"), "--smtp-host=h", "--smtp-from=a@b.example"),
        "--smtp-user");
    refused(run(Map.of(), "--smtp-host=h", "--smtp-from=a@b.example", "--smtp-user=u"), "PASSWORD");
    refused(run(Map.of(), "--smtp-host=h"), "--smtp-from");
    Path keys = Files.writeString(folder.resolve("keys"), "{\"keys\":[]}");
    refused(run(Map.of(), "--oidc-issuer=https://i.example", "--oidc-keys=" + keys), "no key");
  }

  @Test
  void filesThatOtherUsersCanReadOrWriteAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "a secret of the cluster");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    String cluster = "a secret of the cluster";
    refused(run(Map.of(), "--secret-file=" + file), "--secret-file", "chmod 600 " + file);
    refused(
        run(Map.of("ENTENTE_SECRET", cluster), "--vote-key=" + file),
        "--vote-key",
        "chmod 600 " + file);
    refused(
        run(Map.of(), "--tls-cert=" + file, "--tls-key=" + file, "--tls-ca=" + file),
        "--tls-key",
        "chmod 600 " + file);
    refused(
        run(Map.of(), "--oidc-issuer=https://i.example", "--oidc-keys=" + file),
        "--oidc-keys",
        "chmod go-w " + file);
    refused(run(Map.of(), "--config=" + file), "--config", "chmod go-w " + file);
  }
}
