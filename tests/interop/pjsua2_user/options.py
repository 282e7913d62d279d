"""What a user of PJSIP is started with: flags, the library, the account."""

import argparse
import os

import pjsua2 as pj


def endpoint(options):
    """PJSIP itself, with one UDP port and a sound device that is none."""
    made = pj.Endpoint()
    made.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.uaConfig.userAgent = f"PJSUA2 {made.libVersion().full}"
    config.medConfig.noVad = True
    config.logConfig.consoleLevel = 0
    config.logConfig.level = 5
    config.logConfig.filename = options.log
    made.libInit(config)
    port = pj.TransportConfig()
    port.boundAddress = options.host
    made.transportCreate(pj.PJSIP_TRANSPORT_UDP, port)
    made.libStart()
    made.audDevManager().setNullDev()
    for codec in made.codecEnum2() if options.codec else ():
        wanted = codec.codecId.startswith(options.codec + "/")
        made.codecSetPriority(codec.codecId, 255 if wanted else 0)
    return made


def settings(options):
    """The account: its requests go through the server, whose domain no name server knows."""
    config = pj.AccountConfig()
    config.idUri = options.aor
    config.regConfig.registrarUri = "sip:" + options.aor.split("@")[1]
    config.regConfig.timeoutSec = options.expires
    config.regConfig.delayBeforeRefreshSec = 2
    config.regConfig.retryIntervalSec = 0
    config.sipConfig.proxies.append(f"sip:{options.server};lr")
    user = options.aor.removeprefix("sip:").split("@")[0]
    secret = pj.AuthCredInfo("digest", "*", user, 0, os.environ["PRESENCE_PASSWORD"])
    config.sipConfig.authCreds.append(secret)
    config.presConfig.publishEnabled = options.publish
    config.mediaConfig.transportConfig.boundAddress = options.host
    if options.srtp:
        config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
        config.mediaConfig.srtpSecureSignaling = 0
    return config


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aor", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--expires", type=int, default=300)
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--codec", help="the only one, by its name")
    parser.add_argument("--tone", type=int, help="hertz of what is said in calls")
    parser.add_argument("--record", help="WAV file with what is heard in calls")
    parser.add_argument("--srtp", action="store_true")
    return parser.parse_args()
