// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Grpc;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.jspecify.annotations.Nullable;

/**
 * What may be asked at the port on which voters listen for each other, by whom. Who is connected
 * has proved who they are (see {@link VoterCredentials}); here it is held to that name. Only what
 * voters ask of each other is answered: clients and administrators of the group speak with the
 * node, over HTTP, and a node proposes in its own process, so nobody needs those services here.
 */
final class VoterPort implements GrpcServices.Customizer, ServerInterceptor {
  @Override
  public NettyServerBuilder customize(
      NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
    builder.intercept(this);
    return builder;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String service = String.valueOf(call.getMethodDescriptor().getServiceName());
    if (!service.equals(RaftServerProtocolServiceGrpc.SERVICE_NAME)) {
      return refused(call, "only what voters ask of each other is answered here");
    }
    String caller;
    try {
      caller = caller(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION));
    } catch (CertificateException e) {
      return refused(call, String.valueOf(e.getMessage()));
    }
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      private boolean ended;

      @Override
      public void onMessage(Q message) {
        if (!ended && !requestor(message).equals(caller)) {
          ended = true;
          call.close(
              Status.PERMISSION_DENIED.withDescription(
                  caller + " speaks in the name of another voter"),
              new Metadata());
          super.onCancel();
        }
        if (!ended) {
          super.onMessage(message);
        }
      }

      @Override
      public void onHalfClose() {
        if (!ended) {
          super.onHalfClose();
        }
      }

      @Override
      public void onCancel() {
        if (!ended) {
          super.onCancel();
        }
      }
    };
  }

  private static <Q, R> ServerCall.Listener<Q> refused(ServerCall<Q, R> call, String why) {
    call.close(Status.PERMISSION_DENIED.withDescription(why), new Metadata());
    return new ServerCall.Listener<>() {};
  }

  /** Who is at the other end. */
  private static String caller(@Nullable SSLSession session) throws CertificateException {
    try {
      if (session != null) {
        Certificate[] chain = session.getPeerCertificates();
        if (chain.length > 0 && chain[0] instanceof X509Certificate certificate) {
          return VoterCredentials.nameOf(certificate);
        }
      }
    } catch (SSLPeerUnverifiedException e) {
      throw new CertificateException("who calls has proved nothing", e);
    }
    throw new CertificateException("who calls has proved nothing");
  }

  /** In whose name a message speaks; nobody's where this does not know it. */
  private static String requestor(Object message) {
    RaftRpcRequestProto request =
        switch (message) {
          case AppendEntriesRequestProto append -> append.getServerRequest();
          case RequestVoteRequestProto vote -> vote.getServerRequest();
          case InstallSnapshotRequestProto snapshot -> snapshot.getServerRequest();
          case StartLeaderElectionRequestProto election -> election.getServerRequest();
          case ReadIndexRequestProto read -> read.getServerRequest();
          case null, default -> RaftRpcRequestProto.getDefaultInstance();
        };
    return request.getRequestorId().toStringUtf8();
  }
}
