// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.store.Folders;
import dev.entente.server.Certificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every pair of security settings of {@code serve}: with what each needs both are used, except for
 * the pairs that exclude each other; where the start is refused without it, the message names one
 * of them. A new setting needs a value here.
 */
class SettingPairsTest {
  private static final String SECRET = "a secret of the cluster";
  private static final List<String> TLS = List.of("tls-cert", "tls-key", "tls-ca");

  /** A usable value of every setting; those of the environment alone are in capitals. */
  private static final Map<String, String> GOOD = new TreeMap<>();

  /** What concerns no secret, no identity and no limit; every other setting is paired. */
  static final Pattern OTHERS =
      Pattern.compile(
          "alert-.*|log.*|port|name|tenant|policies|.*checkpoint.*|retention.*|trace.*|scrub.*"
              + "|.*recovery.*|heal-within");

  /** What a setting needs beside it. */
  private static final Map<String, List<String>> NEEDS = new TreeMap<>();

  @TempDir static Path folder;

  @BeforeAll
  static void values() throws IOException, InterruptedException, GeneralSecurityException {
    Certificates certificates = new Certificates(folder.resolve("ca"));
    certificates.sign("eu");
    GOOD.put("tls-cert", certificates.certificate("eu").toString());
    GOOD.put("tls-key", certificates.key("eu").toString());
    GOOD.put("tls-ca", certificates.authority().toString());
    GOOD.put("insecure-http", "true");
    GOOD.put("secret-file", file("secret", SECRET));
    GOOD.put("ENTENTE_SECRET", SECRET);
    GOOD.put("ENTENTE_TOKEN", "a-token-of-the-administrator");
    GOOD.put("ENTENTE_SMTP_PASSWORD", "a password");
    GOOD.put(
        "vote-key",
        file(
            "vote.key",
            Base64.getEncoder()
                .encodeToString(
                    KeyPairGenerator.getInstance("Ed25519")
                        .generateKeyPair()
                        .getPrivate()
                        .getEncoded())));
    GOOD.put("config", file("config", "alert-pending=7"));
    GOOD.put("policies", Files.createDirectory(folder.resolve("policies")).toString());
    GOOD.put("name", "eu");
    GOOD.put("tenant", "main");
    GOOD.put("port", "0");
    GOOD.put("host", "127.0.0.1");
    GOOD.put("host-names", "entente.example");
    GOOD.put("peers", "https://127.0.0.1:1");
    GOOD.put("advertise", "https://127.0.0.1:2");
    GOOD.put("voters", "eu=127.0.0.1:3");
    GOOD.put("administrator-keys", "A".repeat(43));
    GOOD.put("oidc-issuer", "https://issuer.example");
    GOOD.put("oidc-audience", "other");
    GOOD.put("oidc-keys", "https://issuer.example/keys");
    GOOD.put("oidc-name-claim", "email");
    GOOD.put("smtp-host", "mail.example");
    GOOD.put("smtp-port", "25");
    GOOD.put("smtp-from", "a@b.example");
    GOOD.put("smtp-user", "u");
    GOOD.put("smtp-plain", "true");
    GOOD.put("insecure-smtp", "true");
    GOOD.put("webhooks-inside", "true");
    GOOD.put("traces", "http://127.0.0.1:4318/v1/traces");
    GOOD.put("trace-ratio", "0.5");
    GOOD.put("auto-recovery", "true");
    GOOD.put("log", "text");
    GOOD.put("log-level", "info");
    for (String number :
        List.of(
            "checkpoint-every",
            "keep-checkpoints",
            "keep-checkpoints-count",
            "scrub-every",
            "scrub-rate",
            "retention",
            "retention-versions",
            "recovery-attempts",
            "heal-within",
            "rate-limit",
            "record-rate-limit",
            "tenant-rate-limit",
            "alert-conflicts",
            "alert-pending",
            "alert-p99",
            "alert-lag",
            "alert-clock")) {
      GOOD.put(number, "9");
    }
    TLS.forEach(name -> NEEDS.put(name, TLS));
    for (String name : List.of("peers", "voters", "administrator-keys", "vote-key", "advertise")) {
      NEEDS.put(name, List.of("secret-file"));
    }
    for (String name : List.of("oidc-audience", "oidc-keys", "oidc-name-claim")) {
      NEEDS.put(name, List.of("oidc-issuer"));
    }
    for (String name : List.of("smtp-host", "smtp-from", "smtp-port")) {
      NEEDS.put(name, List.of("smtp-host", "smtp-from"));
    }
    for (String name : List.of("smtp-plain", "insecure-smtp")) {
      NEEDS.put(name, List.of("smtp-host", "smtp-from", "smtp-plain", "insecure-smtp"));
    }
    for (String name : List.of("smtp-user", "ENTENTE_SMTP_PASSWORD")) {
      NEEDS.put(name, List.of("smtp-host", "smtp-from", "smtp-user", "ENTENTE_SMTP_PASSWORD"));
    }
  }

  private static String file(String name, String text) throws IOException {
    Path file = Folders.createFile(folder.resolve(name));
    return Files.writeString(file, text).toString();
  }

  private static ServeRun run(Set<String> names) {
    List<String> options = new ArrayList<>();
    Map<String, String> environment = new TreeMap<>();
    for (String name : names) {
      if (name.startsWith("ENTENTE_")) {
        environment.put(name, value(name));
      } else {
        options.add("--" + name + "=" + value(name));
      }
    }
    return ServeRun.of(folder, environment, options.toArray(String[]::new));
  }

  private static String value(String name) {
    return GOOD.getOrDefault(name, "");
  }

  private static boolean excludes(Set<String> names) {
    return names.contains("insecure-http") && names.stream().anyMatch(TLS::contains);
  }

  @Test
  void everySettingHasAValue() {
    Set<String> all = new TreeSet<>(Settings.SECRETS);
    all.addAll(ServeRun.names());
    all.remove("data");
    assertThat(GOOD.keySet()).isEqualTo(all);
  }

  @Test
  void everyPairIsUsedOrRefused() {
    List<String> all =
        GOOD.keySet().stream().filter(name -> !OTHERS.matcher(name).matches()).toList();
    for (String one : all) {
      for (String other : all.subList(all.indexOf(one), all.size())) {
        Set<String> pair = new TreeSet<>(List.of(one));
        pair.add(other);
        Set<String> complete = new TreeSet<>(pair);
        pair.forEach(name -> complete.addAll(NEEDS.getOrDefault(name, List.of())));
        ServeRun run = run(complete);
        if (excludes(complete)) {
          run.refused("--insecure-http", "--tls-cert");
        } else {
          run.accepted();
        }
        if (!complete.equals(pair)) {
          ServeRun bare = run(pair);
          if (bare.isRefused()) {
            assertThat(pair.stream().anyMatch(bare.said()::contains)).as(bare.said()).isTrue();
          } else {
            bare.accepted();
          }
        }
      }
    }
  }
}
