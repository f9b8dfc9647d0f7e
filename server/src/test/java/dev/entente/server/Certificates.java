// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority for a test, and the certificates that it signs, as PEM files. */
public final class Certificates {
  private static final String PASSWORD = "changeit";
  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});
  private final Path folder;
  private final Path store;
  private final String algorithm;

  public Certificates(Path folder)
      throws IOException, InterruptedException, GeneralSecurityException {
    this(folder, "EC");
  }

  public Certificates(Path folder, String algorithm)
      throws IOException, InterruptedException, GeneralSecurityException {
    this(folder, algorithm, List.of());
  }

  /** An authority whose own certificate was good last week. */
  public static Certificates ofExpiredAuthority(Path folder)
      throws IOException, InterruptedException, GeneralSecurityException {
    return new Certificates(folder, "EC", List.of("-startdate", "-9d", "-validity", "3"));
  }

  private Certificates(Path folder, String algorithm, List<String> validity)
      throws IOException, InterruptedException, GeneralSecurityException {
    this.algorithm = algorithm;
    this.folder = Files.createDirectories(folder);
    this.store = folder.resolve("authority.p12");
    List<String> arguments = new ArrayList<>(List.of("-genkeypair", "-alias", "ca"));
    arguments.addAll(List.of("-dname", "CN=authority", "-ext", "bc:c"));
    arguments.addAll(validity);
    keytool(arguments.toArray(String[]::new));
    Files.writeString(authority(), pem("CERTIFICATE", loaded().getCertificate("ca").getEncoded()));
  }

  private void keytool(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(
        List.of("-keystore", store.toString(), "-storepass", PASSWORD, "-keyalg", algorithm));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isEqualTo(0);
  }

  private KeyStore loaded() throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(store)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, PASSWORD.toCharArray());
      return keys;
    }
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + LINES.encodeToString(bytes)
        + "\n-----END "
        + what
        + "-----\n";
  }

  public Path authority() {
    return folder.resolve("ca.pem");
  }

  public Path certificate(String name) {
    return folder.resolve(name + ".pem");
  }

  public Path key(String name) {
    return folder.resolve(name + ".key");
  }

  /** Signs a certificate for a node on this machine. */
  public void sign(String name) throws IOException, InterruptedException, GeneralSecurityException {
    sign(name, List.of());
  }

  /** Signs one that was good last month. */
  public void signExpired(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    sign(name, List.of("-startdate", "-40d", "-validity", "10"));
  }

  /** Signs one that is good from tomorrow on. */
  public void signEarly(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    sign(name, List.of("-startdate", "+1d", "-validity", "10"));
  }

  /** Signs one that names no host. */
  public void signWithoutHosts(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    signed(name, List.of());
  }

  /** Signs one with which a node answers, but connects to nobody. */
  public void signForServersOnly(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    sign(name, List.of("-ext", "eku=serverAuth"));
  }

  private void sign(String name, List<String> more)
      throws IOException, InterruptedException, GeneralSecurityException {
    List<String> arguments = new ArrayList<>(List.of("-ext", "san=ip:127.0.0.1,dns:localhost"));
    arguments.addAll(more);
    signed(name, arguments);
  }

  private void signed(String name, List<String> more)
      throws IOException, InterruptedException, GeneralSecurityException {
    if (loaded().containsAlias(name)) {
      keytool("-delete", "-alias", name);
    }
    List<String> arguments = new ArrayList<>(List.of("-genkeypair", "-alias", name));
    arguments.addAll(List.of("-dname", "CN=" + name, "-signer", "ca"));
    arguments.addAll(more);
    keytool(arguments.toArray(String[]::new));
    KeyStore keys = loaded();
    StringBuilder chain = new StringBuilder();
    for (Certificate each : keys.getCertificateChain(name)) {
      chain.append(pem("CERTIFICATE", each.getEncoded()));
    }
    Files.writeString(certificate(name), chain);
    if (Files.notExists(key(name))) {
      Folders.createFile(key(name));
    }
    Files.writeString(
        key(name), pem("PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded()));
  }
}
