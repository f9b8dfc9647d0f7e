// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.server.watch.MailSender;
import dev.entente.server.watch.Thresholds;
import dev.entente.server.watch.Watching;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** From where on something is wrong, and how people are told. */
final class WatchOptions {
  private static final int SMTP_PORT = 587;
  private static final Thresholds USUAL = Thresholds.DEFAULT;

  @Option(
      names = "--alert-conflicts",
      paramLabel = "N",
      description =
          "Conflicts a minute that are many, if also five times the usual (default:"
              + " ${DEFAULT-VALUE}).")
  int conflicts = USUAL.conflictsPerMinute();

  @Option(
      names = "--alert-pending",
      paramLabel = "N",
      description = "Reviews that may wait (default: ${DEFAULT-VALUE}).")
  int pending = USUAL.pending();

  @Option(
      names = "--alert-p99",
      paramLabel = "MILLIS",
      description = "What 99 of 100 writes must stay below (default: ${DEFAULT-VALUE}).")
  double p99 = USUAL.p99Millis();

  @Option(
      names = "--alert-lag",
      paramLabel = "MILLIS",
      description = "For how long a node may be behind another (default: ${DEFAULT-VALUE}).")
  long lag = USUAL.lagMillis();

  @Option(
      names = "--alert-clock",
      paramLabel = "MILLIS",
      description = "How far clocks may be apart (default: ${DEFAULT-VALUE}).")
  long clock = USUAL.clockMillis();

  @Option(
      names = "--heal-within",
      paramLabel = "SECONDS",
      description =
          "For how long a member may be out of reach, and nodes that meet again may take until they"
              + " have the same, before the alert healing-overdue (default: ${DEFAULT-VALUE}).")
  int healSeconds = (int) (USUAL.healMillis() / 1_000);

  @Option(
      names = "--webhooks-inside",
      description =
          "Let webhooks lead to addresses inside this network (loopback, private, link-local).")
  boolean inside;

  @Option(
      names = "--smtp-host",
      paramLabel = "HOST",
      description = "The server that takes e-mail, for webhooks with mailto: addresses.")
  String smtpHost = "";

  @Option(
      names = "--smtp-port",
      paramLabel = "PORT",
      description = "Its port (default: ${DEFAULT-VALUE}).")
  int smtpPort = SMTP_PORT;

  @Option(names = "--smtp-from", paramLabel = "ADDRESS", description = "Whom e-mail is from.")
  String smtpFrom = "";

  @Option(
      names = "--smtp-user",
      paramLabel = "NAME",
      description = "Whom to sign in as; the password is in ENTENTE_SMTP_PASSWORD.")
  String smtpUser = "";

  @Option(
      names = "--smtp-plain",
      description = "Do without encryption; for a server on this machine.")
  boolean smtpPlain;

  @Option(
      names = "--insecure-smtp",
      description =
          "Allow --smtp-plain for a server on another machine: the password and e-mail then travel"
              + " unencrypted.")
  boolean insecureSmtp;

  Watching watching(Path directory, Settings settings) {
    Checks.requireAtLeast("--alert-conflicts", conflicts, 1);
    Checks.requireAtLeast("--alert-pending", pending, 0);
    Checks.requireAtLeast("--alert-p99", p99, 0.001);
    Checks.requireAtLeast("--alert-lag", (double) lag, 1);
    Checks.requireAtLeast("--alert-clock", (double) clock, 1);
    Checks.requireAtLeast("--heal-within", healSeconds, 1);
    Checks.requirePort("--smtp-port", smtpPort);
    Thresholds thresholds =
        new Thresholds(
            conflicts,
            USUAL.timesBaseline(),
            USUAL.successPart(),
            USUAL.manualPart(),
            p99,
            pending,
            lag,
            clock,
            USUAL.diskFreePart(),
            healSeconds * 1_000L);
    return new Watching(
        thresholds, Optional.of(directory), mail(settings.secret("ENTENTE_SMTP_PASSWORD")), inside);
  }

  private Optional<MailSender.Config> mail(Optional<String> password) {
    if (smtpHost.isEmpty()) {
      if (password.isPresent()) {
        throw new IllegalArgumentException(
            "ENTENTE_SMTP_PASSWORD needs --smtp-host, the server that takes e-mail");
      }
      return Optional.empty();
    }
    if (smtpFrom.isEmpty()) {
      throw new IllegalArgumentException("--smtp-host needs --smtp-from, whom e-mail is from");
    }
    if (smtpUser.isEmpty() == password.isPresent()) {
      throw new IllegalArgumentException(
          "--smtp-user and ENTENTE_SMTP_PASSWORD go together: give both or neither");
    }
    if (!smtpFrom.matches("[^@\\s]+@[^@\\s]+")) {
      throw new IllegalArgumentException("--smtp-from takes an e-mail address, not " + smtpFrom);
    }
    if (!smtpHost.matches("[\\w.:\\[\\]-]+")) {
      throw new IllegalArgumentException("--smtp-host takes a host name, not " + smtpHost);
    }
    if (smtpPlain && !insecureSmtp && !Checks.isLocal(smtpHost)) {
      throw new IllegalArgumentException(
          "--smtp-plain sends e-mail unencrypted, and "
              + smtpHost
              + " is not this machine: leave it out, name an address such as 127.0.0.1, or allow"
              + " it with --insecure-smtp");
    }
    if (insecureSmtp && Checks.isLocal(smtpHost)) {
      throw new IllegalArgumentException(
          "--insecure-smtp has no effect, since --smtp-host " + smtpHost + " is this machine");
    }
    return Optional.of(
        new MailSender.Config(
            smtpHost, smtpPort, smtpFrom, smtpUser, password.orElse(""), !smtpPlain));
  }
}
