// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.engine.store.SettingFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * What a node proves who it is with, and whom it believes: a certificate, its key, and the
 * authority that signs those of all nodes, as PEM files. They are read again when they change, so
 * that a certificate is replaced by writing the new files. Thread-safe.
 */
public final class NodeTls {
  private static final Logger LOG = System.getLogger(NodeTls.class.getName());
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
  private static final List<String> ALGORITHMS = List.of("EC", "RSA", "EdDSA");
  private static final String CERTIFICATE = "--tls-cert";
  private static final String KEY = "--tls-key";
  private static final String AUTHORITY = "--tls-ca";
  private static final long LOOK_AGAIN_MILLIS = 2_000;
  private static final char[] NO_PASSWORD = new char[0];

  private final Path certificate;
  private final Path key;
  private final Path authority;
  private Loaded loaded;
  private Loaded before;
  private int loads;
  private long modified;
  private long lookedAtNanos = System.nanoTime();

  /** Why the files cannot be used, as it was logged last; empty while they can. */
  private String complaint = "";

  private record Loaded(
      X509ExtendedKeyManager key, X509ExtendedTrustManager trust, Identity identity) {}

  /**
   * Who the node is.
   *
   * @param key the certificate's key
   * @param chain the certificate, and those between it and the authority's
   */
  public record Identity(PrivateKey key, List<X509Certificate> chain) {
    public Identity {
      chain = List.copyOf(chain);
    }

    @Override
    public String toString() {
      return "Identity[" + commonName(chain.getFirst()) + "]";
    }
  }

  private NodeTls(Path certificate, Path key, Path authority)
      throws IOException, GeneralSecurityException {
    this.certificate = certificate;
    this.key = key;
    this.authority = authority;
    this.modified = modified();
    this.loaded = load();
    this.before = loaded;
  }

  /**
   * Reads the files.
   *
   * @param certificate the node's certificate, with those between it and the authority's
   * @param key the certificate's key, PKCS #8, not encrypted
   * @param authority the certificates that sign those of nodes
   * @throws IllegalArgumentException where they cannot be used; the message says why
   */
  public static NodeTls of(Path certificate, Path key, Path authority) {
    try {
      return new NodeTls(certificate, key, authority);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + why(e), e);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(
          certificate + ", " + key + " and " + authority + " cannot be used: " + e.getMessage(), e);
    }
  }

  /**
   * Checks that clients trust the certificate today: it is valid now, and the authority signed it.
   *
   * @throws IllegalArgumentException where they do not; the message says what to do
   */
  public void requireValid() {
    Loaded now = current();
    checks(now.identity().chain()).requireTrusted(now.trust(), authority);
  }

  /**
   * Checks that other nodes trust the certificate where this one connects to them.
   *
   * @throws IllegalArgumentException where they do not; the message says what to do
   */
  public void requireValidAsClient() {
    Loaded now = current();
    checks(now.identity().chain()).requireTrustedAsClient(now.trust(), authority);
  }

  /**
   * Checks that the certificate names the host at which others reach the node.
   *
   * @param setting the setting that gives the host
   * @throws IllegalArgumentException where it does not; the message says what to do
   */
  public void requireHost(String setting, String host) {
    checks(chain()).requireHost(setting, host);
  }

  /** Whether the certificate names any host; clients that verify it trust it under no other. */
  public boolean namesHosts() {
    return checks(chain()).namesHosts();
  }

  private CertificateChecks checks(List<X509Certificate> chain) {
    return new CertificateChecks(chain, certificate);
  }

  private static String why(IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + ": there is no such file";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      default -> String.valueOf(e.getMessage());
    };
  }

  /** Who the node is now. */
  public Identity identity() {
    return current().identity();
  }

  /** The node's certificate now, and those between it and the authority's. */
  public List<X509Certificate> chain() {
    return identity().chain();
  }

  /** The name (CN) in a certificate; empty where there is none. */
  public static String commonName(X509Certificate certificate) {
    try {
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          return String.valueOf(part.getValue());
        }
      }
    } catch (InvalidNameException e) {
      LOG.log(Level.DEBUG, "a certificate names nobody", e);
    }
    return "";
  }

  /** The host names that a certificate holds, and its name (CN). */
  public static Set<String> names(X509Certificate certificate) {
    Set<String> names =
        new TreeSet<>(
            CertificateChecks.alternativeNames(certificate, Set.of(CertificateChecks.DNS_NAME)));
    String name = commonName(certificate);
    if (!name.isEmpty()) {
      names.add(name);
    }
    return names;
  }

  /** Whether a node's id is one that a certificate for this name vouches for. */
  public static boolean isNamed(String node, String name) {
    return node.equals(name) || node.startsWith(name + ".");
  }

  /** Certificates of their encoded forms. */
  public static List<X509Certificate> decoded(List<byte[]> encoded) throws CertificateException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> certificates = new ArrayList<>();
    for (byte[] each : encoded) {
      certificates.add(
          (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(each)));
    }
    return certificates;
  }

  /** A context for servers and clients. */
  public SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(new KeyManager[] {keyManager()}, new TrustManager[] {trustManager()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has TLS", e);
    }
  }

  public KeyManager keyManager() {
    return new CurrentKey();
  }

  public TrustManager trustManager() {
    return new CurrentTrust();
  }

  /** A context that believes an authority and proves nothing; for clients. */
  public static SSLContext trusting(Path authority) {
    return trusting(AUTHORITY, authority);
  }

  /**
   * The same, where another setting than that of a node names the file.
   *
   * @throws IllegalArgumentException where the file cannot be used; the message names the setting
   */
  public static SSLContext trusting(String setting, Path authority) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {trust(setting, authority)}, null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException(
          setting + ": " + authority + " cannot be used: " + e.getMessage(), e);
    }
  }

  private long modified() throws IOException {
    return Files.getLastModifiedTime(certificate).toMillis() * 31
        + Files.getLastModifiedTime(key).toMillis() * 7
        + Files.getLastModifiedTime(authority).toMillis();
  }

  private Loaded load() throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, NO_PASSWORD);
    PrivateKey secret = privateKey();
    Certificate[] chain = certificates(CERTIFICATE, certificate);
    Identity identity =
        new Identity(secret, Stream.of(chain).map(X509Certificate.class::cast).toList());
    checks(identity.chain()).requirePair(secret, key);
    keys.setKeyEntry("node-" + ++loads, secret, NO_PASSWORD, chain);
    KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(keys, NO_PASSWORD);
    return new Loaded(
        (X509ExtendedKeyManager) factory.getKeyManagers()[0],
        trust(AUTHORITY, authority),
        identity);
  }

  private static X509ExtendedTrustManager trust(String setting, Path authority)
      throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, NO_PASSWORD);
    int number = 0;
    for (Certificate each : certificates(setting, authority)) {
      CertificateChecks.requireAuthority((X509Certificate) each, setting, authority);
      trusted.setCertificateEntry("authority " + number++, each);
    }
    TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(trusted);
    return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
  }

  private static Certificate[] certificates(String setting, Path file)
      throws GeneralSecurityException {
    byte[] text = SettingFile.trusted(setting, file).getBytes(StandardCharsets.UTF_8);
    Certificate[] found =
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(text))
            .toArray(Certificate[]::new);
    if (found.length == 0) {
      throw new CertificateException("there is no certificate in " + file);
    }
    return found;
  }

  private PrivateKey privateKey() throws GeneralSecurityException {
    Matcher pem = PEM.matcher(SettingFile.secret(KEY, key));
    if (!pem.find()) {
      throw new InvalidKeySpecException(
          "there is no key in "
              + key
              + " between BEGIN PRIVATE KEY and END PRIVATE KEY; openssl pkcs8 -topk8 -nocrypt"
              + " makes one of other keys");
    }
    PKCS8EncodedKeySpec spec;
    try {
      spec = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
    } catch (IllegalArgumentException e) {
      throw new InvalidKeySpecException(key + " holds a damaged key: write the file again", e);
    }
    List<String> why = new ArrayList<>();
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        why.add(algorithm);
      }
    }
    throw new InvalidKeySpecException("the key is of none of the kinds " + why);
  }

  /** What is in the files now; what was in them before while they cannot be used. */
  private synchronized Loaded current() {
    long now = System.nanoTime();
    if (now - lookedAtNanos > LOOK_AGAIN_MILLIS * 1_000_000) {
      lookedAtNanos = now;
      reload();
    }
    return loaded;
  }

  /** Reads the files again if they changed; what nobody would trust replaces nothing. */
  synchronized void reload() {
    try {
      long latest = modified();
      if (latest == modified) {
        return;
      }
      Loaded replacement = load();
      checks(replacement.identity().chain()).requireTrusted(replacement.trust(), authority);
      before = loaded;
      loaded = replacement;
      modified = latest;
      complaint = "";
      LOG.log(Level.INFO, "the certificate was replaced: " + certificate);
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(complaint)) {
        complaint = why;
        LOG.log(
            Level.ERROR,
            certificate + " cannot be used as it is now, the certificate before stays: " + why);
      }
    }
  }

  private synchronized Loaded before() {
    return before;
  }

  /**
   * Chooses among what is there now. A handshake that chose before the files were replaced ends
   * with the key and the certificate that it chose: aliases differ from one load to the next.
   */
  private final class CurrentKey extends X509ExtendedKeyManager {
    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
      return current().key().getClientAliases(keyType, issuers);
    }

    @Override
    public String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
      return current().key().chooseClientAlias(keyType, issuers, socket);
    }

    @Override
    public String chooseEngineClientAlias(String[] keyType, Principal[] issuers, SSLEngine engine) {
      return current().key().chooseEngineClientAlias(keyType, issuers, engine);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
      return current().key().getServerAliases(keyType, issuers);
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
      return current().key().chooseServerAlias(keyType, issuers, socket);
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
      return current().key().chooseEngineServerAlias(keyType, issuers, engine);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      X509Certificate[] chain = current().key().getCertificateChain(alias);
      return chain != null ? chain : before().key().getCertificateChain(alias);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      PrivateKey chosen = current().key().getPrivateKey(alias);
      return chosen != null ? chosen : before().key().getPrivateKey(alias);
    }
  }

  /** Believes whom the file names now. */
  private final class CurrentTrust extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      current().trust().checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      current().trust().checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      current().trust().checkClientTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      current().trust().checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      current().trust().checkClientTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      current().trust().checkServerTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return current().trust().getAcceptedIssuers();
    }
  }
}
