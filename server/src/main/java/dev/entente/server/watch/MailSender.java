// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonReader;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;

/** Sends messages by e-mail, through the operator's own server. Thread-safe. */
public final class MailSender implements Webhooks.Sender {
  private static final String TIMEOUT_MILLIS = "10000";

  private final Config config;
  private final Session session;

  /**
   * The server that takes e-mail.
   *
   * @param from whom messages are from
   * @param user to sign in as; empty where the server asks for nobody
   */
  public record Config(
      String host, int port, String from, String user, String password, boolean encrypted) {
    @Override
    public String toString() {
      return "Config[" + host + ":" + port + " from " + from + "]";
    }
  }

  public MailSender(Config config) {
    this.config = config;
    Properties properties = new Properties();
    properties.setProperty("mail.smtp.host", config.host());
    properties.setProperty("mail.smtp.port", String.valueOf(config.port()));
    properties.setProperty("mail.smtp.connectiontimeout", TIMEOUT_MILLIS);
    properties.setProperty("mail.smtp.timeout", TIMEOUT_MILLIS);
    properties.setProperty("mail.smtp.writetimeout", TIMEOUT_MILLIS);
    properties.setProperty("mail.smtp.starttls.enable", String.valueOf(config.encrypted()));
    properties.setProperty("mail.smtp.starttls.required", String.valueOf(config.encrypted()));
    properties.setProperty("mail.smtp.ssl.checkserveridentity", "true");
    properties.setProperty("mail.smtp.auth", String.valueOf(!config.user().isEmpty()));
    this.session = Session.getInstance(properties);
  }

  @Override
  public void send(URI url, Map<String, String> headers, String body) throws IOException {
    try {
      MimeMessage message = new MimeMessage(session);
      message.setFrom(new InternetAddress(config.from(), true));
      message.setRecipient(
          Message.RecipientType.TO, new InternetAddress(url.getSchemeSpecificPart(), true));
      Json read = JsonReader.strict().read(body.getBytes(StandardCharsets.UTF_8));
      String event = headers.getOrDefault("Entente-Event", "");
      message.setSubject(oneLine("Entente: " + event + " " + summary(read)), "UTF-8");
      message.setText(summary(read) + "\n\n" + JsonPrinter.print(read) + "\n", "UTF-8");
      try (Transport transport = session.getTransport("smtp")) {
        if (config.user().isEmpty()) {
          transport.connect();
        } else {
          transport.connect(config.user(), config.password());
        }
        transport.sendMessage(message, message.getAllRecipients());
      }
    } catch (MessagingException e) {
      throw new IOException(String.valueOf(e.getMessage()), e);
    }
  }

  private static String summary(Json message) {
    return message instanceof JsonObject object
            && object.get("what") instanceof JsonObject what
            && what.get("summary") instanceof JsonString(String text)
        ? text
        : "";
  }

  private static String oneLine(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() > 150 ? line.substring(0, 149) + "…" : line;
  }
}
