"""The word lists of every language are complete, say what they should, and take no text long."""

# ruff: noqa: RUF001 -- the sentences are typed as articles are, with curly quotes and full-width marks

from collections.abc import Mapping, Sequence

import pytest

from blog.importing.language import known_languages, words_for
from blog.importing.parts import About, about, verdict
from blog.importing.result import Urgency
from blog.importing.structure import find_topic, propose_urgency

pytestmark = pytest.mark.once

OTHERS = sorted(known_languages() - {"en"})

EMERGENCIES = {
    "de": [
        "Sie verlieren die Kontrolle über Blase oder Darm",
        "Blasen- oder Darmschwäche",
        "Sie können den Urin nicht mehr halten",
        "Schmerzen oder Druck in der Brust",
        "Brustenge",
        "Atemnot",
        "plötzliche Schwäche in einem Arm",
        "Taubheit im Genitalbereich",
        "verwaschene Sprache",
        "schlagartiger Kopfschmerz, so stark wie nie zuvor",
        "Gedanken, sich das Leben zu nehmen",
        "steifer Nacken",
    ],
    "es": [
        "Pérdida del control de la vejiga",
        "No poder orinar",
        "Dolor en el pecho",
        "Falta de aire",
        "Debilidad repentina en una pierna",
        "Entumecimiento en la ingle",
        "Desmayo",
        "Dificultad para hablar",
        "Vómitos con sangre",
        "Rigidez de nuca",
        "Ideas suicidas",
    ],
    "pt": [
        "Perda de controle da bexiga",
        "Incapacidade de urinar",
        "Dor no peito",
        "Falta de ar",
        "Fraqueza súbita de um lado do corpo",
        "Dormência na virilha",
        "Desmaio",
        "Fala arrastada",
        "Convulsão",
        "Rigidez na nuca",
        "Tosse com sangue",
    ],
    "fr": [
        "Perte du contrôle de la vessie",
        "Impossibilité d’uriner",
        "Douleur dans la poitrine",
        "Essoufflement au repos",
        "Faiblesse soudaine d’un bras",
        "Engourdissement de l’entrejambe",
        "Perte de connaissance",
        "Difficultés à parler",
        "Vous crachez du sang",
        "Nuque raide",
        "Le pire mal de tête de votre vie",
    ],
    "zh": [
        "大小便失禁",
        "无法排尿",
        "胸痛或胸闷",
        "呼吸困难",
        "一侧肢体突然无力",
        "会阴部麻木",
        "晕厥",
        "說話含糊不清",
        "咯血",
        "颈部僵硬",
        "有自杀的念头",
    ],
}
URGENT = {
    "de": [
        "Fieber über 38,5 Grad",
        "nach einem Sturz",
        "ungewollter Gewichtsverlust",
        "Blut im Stuhl",
        "Schüttelfrost",
    ],
    "es": ["Fiebre alta", "Después de una caída", "Pérdida de peso sin motivo", "Sangre en la orina", "Escalofríos"],
    "pt": ["Febre alta", "Depois de uma queda", "Perda de peso sem motivo", "Sangue na urina", "Calafrios"],
    "fr": ["Fièvre élevée", "Après une chute", "Perte de poids inexpliquée", "Sang dans les urines", "Frissons"],
    "zh": ["高烧不退", "摔倒之后", "体重明显下降", "尿血", "寒战"],
}
NOT_URGENT = {
    "de": ["Die Beschwerden dauern länger als zwei Wochen", "Der Schmerz stört den Schlaf"],
    "es": ["Las molestias duran más de dos semanas", "El dolor no deja dormir"],
    "pt": ["O incômodo dura mais de duas semanas", "A dor atrapalha o sono"],
    "fr": ["La gêne dure plus de deux semaines", "La douleur empêche de dormir"],
    "zh": ["症状超过两周", "疼痛影响睡眠"],
}
# What a title or heading announces: 1 conditions, -1 something else, 0 it does not say.
ANNOUNCED = {
    "de": [
        ("12 Ursachen für Rückenschmerzen", 1),
        ("Diese Krankheiten können dahinterstecken", 1),
        ("Häufige Gründe für Schwindel", 1),
        ("Herzerkrankungen bei Frauen", 1),
        ("Ursachen des Eisenmangels", 1),
        ("Warum tut mein Knie weh?", 1),
        ("Haarausfall: die häufigsten Auslöser", 1),
        ("Neue Studie: Ursache von Long Covid gefunden", -1),
        ("10 Tipps gegen Kopfschmerzen", -1),
        ("Symptome und Ursachen von Gicht", -1),
        ("7 Hausmittel bei Erkältungskrankheiten", -1),
        ("Die Ursachen der Krise im Gesundheitswesen", -1),
        ("Zehn Gründe, warum Sie mehr Wasser trinken sollten", -1),
        ("9 Irrtümer über Krankheiten", -1),
        ("Der Sommer an der See", 0),
    ],
    "es": [
        ("10 causas del dolor de espalda", 1),
        ("Enfermedades que provocan cansancio", 1),
        ("5 razones por las que te duele la cabeza", 1),
        ("Causas del aumento de peso", 1),
        ("Causas de la caída del cabello", 1),
        ("¿Por qué me duele la rodilla?", 1),
        ("Causas del aumento de casos de gripe", -1),
        ("Síntomas y causas de la gota", -1),
        ("8 remedios para el dolor", -1),
        ("Mitos sobre las enfermedades del corazón", -1),
        ("Las causas de la crisis sanitaria", -1),
        ("7 razones para beber más agua", -1),
        ("Un verano en la playa", 0),
    ],
    "pt": [
        ("10 causas de dor nas costas", 1),
        ("Doenças que provocam cansaço", 1),
        ("5 motivos para a dor de cabeça", 1),
        ("Causas do aumento de peso", 1),
        ("Causas da queda de cabelo", 1),
        ("Coceira: o que pode ser?", 1),
        ("Sintomas e causas da gota", -1),
        ("8 remédios para a dor", -1),
        ("Mitos sobre doenças do coração", -1),
        ("As causas do aumento dos casos de dengue", -1),
        ("7 motivos para beber mais água", -1),
        ("Um verão na praia", 0),
    ],
    "fr": [
        ("10 causes du mal de dos", 1),
        ("Les maladies qui donnent des vertiges", 1),
        ("5 raisons d’avoir mal à la tête", 1),
        ("Les causes de la baisse de la libido", 1),
        ("D’où vient la fatigue ?", 1),
        ("Raisons d’arrêter de fumer", 0),
        ("Symptômes et causes de la goutte", -1),
        ("8 remèdes contre la douleur", -1),
        ("Idées reçues sur les maladies du cœur", -1),
        ("Les causes de la pénurie de médicaments", -1),
        ("7 raisons de boire plus d’eau", -1),
        ("Un été à la mer", 0),
    ],
    "zh": [
        ("腰痛的十个原因", 1),
        ("六种疾病要警惕", 1),
        ("慢性咳嗽的五個病因", 1),
        ("视力下降的原因", 1),
        ("体重增加的原因", 1),
        ("痛风的症状和病因", -1),
        ("缓解头痛的八个方法", -1),
        ("关于疾病的五个误区", -1),
        ("药价上涨的原因", -1),
        ("你应该多喝水的七个理由", -1),
        ("海边的夏天", 0),
    ],
}
HEADINGS = {
    "de": [
        ("So beugen Sie Rückenschmerzen vor", About.TIPS),
        ("Vorbeugung", About.TIPS),
        ("Wann Sie zum Arzt gehen sollten", About.SIGNS),
        ("Warnzeichen", About.SIGNS),
        ("Wann zum Arzt?", About.SIGNS),
        ("Fazit", About.CONCLUSION),
        ("Das Wichtigste in Kürze", About.CONCLUSION),
        ("Wie wird die Diagnose gestellt?", About.OTHER),
    ],
    "es": [
        ("Cómo prevenir el dolor de espalda", About.TIPS),
        ("Prevención", About.TIPS),
        ("Cuándo acudir al médico", About.SIGNS),
        ("Señales de alarma", About.SIGNS),
        ("Conclusión", About.CONCLUSION),
        ("En resumen", About.CONCLUSION),
        ("Cómo se hace el diagnóstico", About.OTHER),
    ],
    "pt": [
        ("Como prevenir a dor nas costas", About.TIPS),
        ("Prevenção", About.TIPS),
        ("Quando procurar um médico", About.SIGNS),
        ("Sinais de alerta", About.SIGNS),
        ("Conclusão", About.CONCLUSION),
        ("Considerações finais", About.CONCLUSION),
        ("Como é feito o exame", About.OTHER),
    ],
    "fr": [
        ("Comment prévenir le mal de dos", About.TIPS),
        ("Prévention", About.TIPS),
        ("Quand consulter un médecin ?", About.SIGNS),
        ("Quand s’inquiéter ?", About.SIGNS),
        ("Les signes d’alerte", About.SIGNS),
        ("Conclusion", About.CONCLUSION),
        ("À retenir", About.CONCLUSION),
        ("Comment se passe l’examen", About.OTHER),
    ],
    "zh": [
        ("如何预防腰痛", About.TIPS),
        ("日常护理", About.TIPS),
        ("什么时候要看医生", About.SIGNS),
        ("危险信号", About.SIGNS),
        ("出现以下情况请立即就医", About.SIGNS),
        ("总结", About.CONCLUSION),
        ("小結", About.CONCLUSION),
        ("医生怎样检查", About.OTHER),
    ],
}
# The many ways to head the same parts.
WORDINGS = {
    About.SIGNS: {
        "de": [
            "Wann sollten Sie einen Arzt aufsuchen?",
            "Wann ist ärztliche Hilfe nötig?",
            "Wann wird es gefährlich?",
            "Achtung: Bei diesen Symptomen zum Arzt",
            "Warnsignale: Wann Sie handeln müssen",
            "Wann muss ich mit Rückenschmerzen zum Arzt?",
            "Wann einen Arzt aufsuchen?",
            "Notfall: Diese Zeichen sollten Sie kennen",
            "Red Flags",
            "Wann ins Krankenhaus?",
            "Suchen Sie sofort einen Arzt auf, wenn:",
            "Rufen Sie den Notruf 112, wenn:",
            "Diese Symptome sind ein Alarmzeichen",
        ],
        "es": [
            "¿Cuándo debo ir al médico?",
            "Cuándo buscar ayuda médica",
            "Signos de alarma",
            "Cuándo preocuparse",
            "Cuándo consultar a un especialista",
            "Síntomas de alarma",
            "Acuda a urgencias si presenta:",
            "Llame a su médico si tiene:",
            "¿Cuándo es grave?",
            "Busque atención médica inmediata si:",
            "Cuándo visitar al doctor",
        ],
        "pt": [
            "Quando devo ir ao médico?",
            "Quando procurar ajuda médica",
            "Sinais de alarme",
            "Quando se preocupar",
            "Procure um médico se tiver:",
            "Ligue para o 192 se:",
            "Quando consultar um especialista",
            "Sinais de perigo",
            "Vá ao pronto-socorro se:",
            "Quando é grave?",
            "Quando marcar consulta",
        ],
        "fr": [
            "Quand faut-il consulter ?",
            "Quand s’inquiéter ?",
            "Quand consulter un médecin ?",
            "Les signaux d’alarme",
            "Consultez un médecin si :",
            "Appelez le 15 si :",
            "Quand aller aux urgences ?",
            "Symptômes qui doivent alerter",
            "Quand voir un médecin ?",
            "Signes de gravité",
            "Quand demander un avis médical",
        ],
        "zh": [
            "什么时候应该去医院？",
            "何时就医",
            "出现这些症状要及时就医",
            "警惕这些危险信号",
            "就医指征",
            "什么情况需要看医生",
            "哪些情况要立即就诊",
            "报警信号",
            "需要立即去急诊的情况",
            "这些信号要当心",
            "如有以下症状，请尽快就医：",
        ],
    },
    About.TIPS: {
        "de": [
            "So beugen Sie vor",
            "Vorbeugen ist besser als heilen",
            "Tipps zur Vorbeugung",
            "Wie kann ich Rückenschmerzen vorbeugen?",
            "So schützen Sie sich",
            "Was Sie vorbeugend tun können",
            "5 Tipps für einen gesunden Rücken",
            "Kann man Migräne verhindern?",
        ],
        "es": [
            "¿Cómo prevenir la gota?",
            "Consejos para prevenirlo",
            "Prevención",
            "Medidas preventivas",
            "¿Se puede prevenir?",
            "Cómo evitar el dolor",
            "Consejos para cuidar tu espalda",
            "Hábitos saludables para evitarlo",
        ],
        "pt": [
            "Como prevenir",
            "Dicas de prevenção",
            "Prevenção",
            "Como evitar a dor",
            "Medidas preventivas",
            "É possível prevenir?",
            "Dicas para cuidar das costas",
            "Cuidados para evitar",
        ],
        "fr": [
            "Comment prévenir la goutte ?",
            "Conseils de prévention",
            "Prévention",
            "Comment l’éviter ?",
            "Peut-on l’éviter ?",
            "Mesures préventives",
            "Nos conseils pour garder un dos sain",
            "Comment protéger son dos ?",
        ],
        "zh": [
            "如何预防",
            "预防措施",
            "怎样预防头晕",
            "预防小贴士",
            "日常保健建议",
            "生活中如何避免",
            "日常注意事项",
            "预防方法",
        ],
    },
    About.CONCLUSION: {
        "de": [
            "Fazit",
            "Unser Fazit",
            "Schlusswort",
            "Zusammenfassung",
            "Das Wichtigste auf einen Blick",
            "Fazit: Ruhe bewahren",
            "Schlussfolgerung",
            "Kurz gesagt",
            "Was Sie mitnehmen sollten",
        ],
        "es": [
            "Conclusión",
            "Conclusiones",
            "En resumen",
            "Resumen",
            "Para concluir",
            "Reflexión final",
            "Conclusiones finales",
            "En conclusión",
            "Puntos clave",
        ],
        "pt": [
            "Conclusão",
            "Considerações finais",
            "Em resumo",
            "Resumo",
            "Para concluir",
            "Conclusões",
            "Concluindo",
            "Palavras finais",
        ],
        "fr": [
            "Conclusion",
            "En conclusion",
            "En résumé",
            "À retenir",
            "Pour conclure",
            "Ce qu’il faut retenir",
            "Le mot de la fin",
            "En bref",
            "Pour résumer",
        ],
        "zh": ["总结", "结语", "结论", "写在最后", "小结", "总之", "最后", "结束语"],
    },
}
TREATMENTS = {
    "de": [
        "Behandlung",
        "Was Sie tun können",
        "Was Sie selbst tun können",
        "So wird behandelt",
        "So behandeln Sie es",
        "Wie wird ein Bandscheibenvorfall behandelt",
        "Therapie und Behandlung",
        "Das können Sie tun",
        "Was der Arzt tun kann",
        "Was hilft bei Gicht",
        "Linderung",
        "Erste Hilfe",
        "Behandlung und Therapie",
        "Die Behandlung",
        "Behandlungsansatz",
        "Was Ärzte empfehlen",
        "Unser Rat",
        "Mögliche Therapien",
        "Selbsthilfe",
        "Medizinische Behandlung",
        "Was kann ich tun",
        "Hilfe bei Gicht",
        "Wie behandeln",
    ],
    "es": [
        "¿Cómo se trata",
        "Tratamiento recomendado",
        "¿Qué puedo hacer",
        "Qué puedes hacer",
        "Cómo aliviarlo",
        "Abordaje",
        "Manejo",
        "El tratamiento",
        "Su tratamiento",
        "Opciones de tratamiento",
        "¿Cuál es el tratamiento",
        "Tratamiento médico",
        "Qué hacer en caso de gota",
        "Tratamiento y prevención",
        "Posibles tratamientos",
        "Solución",
        "Cómo tratar la gota",
        "Primeros auxilios",
        "Remedio",
    ],
    "pt": [
        "Como é tratado",
        "Como se trata",
        "Tratamento indicado",
        "O que você pode fazer",
        "Como aliviar",
        "O tratamento",
        "Abordagem",
        "Qual é o tratamento",
        "Tratamento médico",
        "O que fazer em caso de gota",
        "Como tratar a gota",
        "Opções de tratamento",
        "Primeiros socorros",
        "Solução",
        "Como é feito o tratamento",
        "Tratamentos",
    ],
    "fr": [
        "Comment le traiter",
        "Comment ça se soigne",
        "Que peut-on faire",
        "Quel traitement",
        "Le traitement",
        "Les traitements possibles",
        "Que faire en cas de goutte",
        "Prise en charge",
        "Quels traitements",
        "Quel est le traitement",
        "Comment traiter la goutte",
        "Solutions",
        "Soins",
        "Traitement médical",
        "Comment la soulager",
        "Que faire",
        "Les solutions",
        "Ce que vous pouvez faire",
        "Comment soigner",
        "Premiers secours",
    ],
    "zh": [
        "治疗方法",
        "如何治疗",
        "怎样缓解",
        "治疗建议",
        "应对办法",
        "如何应对",
        "治疗方式",
        "该怎么做",
        "处理办法",
        "怎么治",
        "治疗手段",
        "应对方案",
        "急救方法",
        "怎么处理",
        "医生建议",
        "调理方法",
        "治疗与预防",
        "治疗措施",
    ],
}
# Whole lines, by the list that they are in and one that they are not in.
LINES = {
    "de": {
        "heading.references": ["Quellen", "Literaturverzeichnis"],
        "furniture.about_author": ["Über die Autorin"],
        "furniture.reviewer": ["Medizinisch geprüft von Dr. Hanna Brückner"],
        "furniture.comments": ["3 Kommentare"],
        "furniture.related": ["Das könnte Sie auch interessieren"],
        "furniture.notice": ["Wir verwenden Cookies"],
        "label.treatment": ["Behandlung", "Das hilft", "Was tun?", "Therapiemöglichkeiten", "Behandlung von Gicht"],
        "label.other": ["Symptome", "Diagnose", "Häufige Ursachen", "Verlauf und Prognose"],
        "furniture.sharing": ["Teilen", "Auf Facebook teilen", "Facebook Twitter Drucken", "Diesen Artikel teilen"],
        "furniture.subscription": ["Newsletter abonnieren", "Melden Sie sich für unseren Newsletter an"],
        "furniture.navigation": ["Startseite", "Das könnte Sie auch interessieren", "3 Kommentare", "Impressum"],
        "furniture.byline": ["Von Dr. med. Hanna Brückner", "Aktualisiert am 14. März 2022", "Lesezeit: 7 Minuten"],
    },
    "es": {
        "heading.references": ["Referencias", "Bibliografía"],
        "furniture.about_author": ["Sobre el autor"],
        "furniture.reviewer": ["Revisado médicamente por Ana Ruiz"],
        "furniture.comments": ["Deja un comentario"],
        "furniture.related": ["Artículos relacionados"],
        "furniture.notice": ["Utilizamos cookies"],
        "label.treatment": ["Tratamiento", "Qué hacer", "Cómo se trata", "Tratamiento de la gota"],
        "label.other": ["Síntomas", "Diagnóstico", "Posibles causas", "Pronóstico"],
        "furniture.sharing": ["Compartir", "Comparte este artículo", "Facebook Twitter WhatsApp"],
        "furniture.subscription": ["Suscríbete a nuestro boletín", "Tu correo electrónico"],
        "furniture.navigation": ["Inicio", "Artículos relacionados", "3 comentarios", "También te puede interesar"],
        "furniture.byline": ["Por Marta Olmedo", "Publicado el 3 de febrero de 2018", "5 minutos de lectura"],
    },
    "pt": {
        "heading.references": ["Referências", "Fontes"],
        "furniture.about_author": ["Sobre a autora"],
        "furniture.reviewer": ["Revisão médica: Dr. João Silva"],
        "furniture.comments": ["Deixe um comentário"],
        "furniture.related": ["Artigos relacionados"],
        "furniture.notice": ["Usamos cookies"],
        "label.treatment": ["Tratamento", "O que fazer", "Como tratar", "Tratamento da gota"],
        "label.other": ["Sintomas", "Diagnóstico", "Possíveis causas", "Prognóstico"],
        "furniture.sharing": ["Compartilhe", "Partilhar este artigo", "Facebook Twitter WhatsApp"],
        "furniture.subscription": ["Assine nossa newsletter", "O seu e-mail"],
        "furniture.navigation": ["Início", "Artigos relacionados", "3 comentários", "Leia também: outro texto"],
        "furniture.byline": ["Por: Dra. Lúcia Monteiro", "Atualizado em 22/08/2022", "5 minutos de leitura"],
    },
    "fr": {
        "heading.references": ["Références", "Sources"],
        "furniture.about_author": ["À propos de l’auteur"],
        "furniture.reviewer": ["Relu par le Dr Paul Martin"],
        "furniture.comments": ["Laisser un commentaire"],
        "furniture.related": ["Articles similaires"],
        "furniture.notice": ["Nous utilisons des cookies"],
        "label.treatment": ["Traitement", "Que faire ?", "Comment la soigner", "Traitement de la goutte"],
        "label.other": ["Symptômes", "Diagnostic", "Causes possibles", "Pronostic"],
        "furniture.sharing": ["Partager", "Partager cet article", "Facebook Twitter E-mail"],
        "furniture.subscription": ["Abonnez-vous à notre newsletter", "Votre adresse e-mail"],
        "furniture.navigation": ["Accueil", "Articles similaires", "3 commentaires", "À lire aussi"],
        "furniture.byline": ["Par Claire Dumoulin, le 21 janvier 2022", "Mis à jour le 5 octobre 2021"],
    },
    "zh": {
        "heading.references": ["参考文献", "資料來源"],
        "furniture.about_author": ["作者简介"],
        "furniture.reviewer": ["审核专家：李明"],
        "furniture.comments": ["发表评论"],
        "furniture.related": ["相关文章"],
        "furniture.notice": ["本网站使用Cookie"],
        "label.treatment": ["治疗", "治療方法", "怎么办", "应对措施", "耳石症的治疗"],
        "label.other": ["症状", "诊断", "常见病因", "预后"],
        "furniture.sharing": ["分享到：微信 微博 QQ空间", "分享", "转发"],
        "furniture.subscription": ["订阅我们的通讯", "您的邮箱"],
        "furniture.navigation": ["首页", "相关文章", "3条评论", "上一篇：春季护肤"],
        "furniture.byline": ["作者：林静", "2021年9月3日", "发布时间：2022-04-18"],
    },
}
SENTENCES = {
    "de": ["Von Kopf bis Fuß", "Wärme hilft vielen Menschen", "Teilen sich die Zellen, wächst das Gewebe"],
    "es": ["Por la mañana duele más", "El calor ayuda a muchas personas"],
    "pt": ["Por causa do frio dói mais", "O calor ajuda muitas pessoas"],
    "fr": ["Par temps froid, la douleur augmente", "La chaleur aide beaucoup de gens"],
    "zh": ["热敷能让肌肉放松", "休息几天就会好"],
}
ORIGINS = {
    "de": "Der Beitrag 8 Ursachen für Schwindel erschien zuerst auf Rückgrat Magazin.",
    "es": "La entrada 8 causas de mareo se publicó primero en Salud Cotidiana.",
    "pt": "O post 8 causas de tontura apareceu primeiro em Vida Leve.",
    "fr": "L’article 8 causes de vertige est apparu en premier sur Carnet de Santé.",
    "zh": "《头晕的八个原因》最早发表于清晨健康网",
}
TOPICS = {
    "de": [
        ("16 Ursachen für Rückenschmerzen und Beinschwäche", "rückenschmerzen und beinschwäche"),
        ("Mögliche Ursachen einer Gesichtslähmung", "gesichtslähmung"),
        ("Krankheiten, die Juckreiz auslösen", "juckreiz"),
        ("12 Gründe für geschwollene Beine und was dagegen hilft", "geschwollene beine"),
        ("Ursachen für Bauchschmerzen bei Kindern", "bauchschmerzen"),
        ("Schwindel: 8 Ursachen und was hilft", "schwindel"),
        ("Warum bin ich ständig müde? 7 mögliche Ursachen", ""),
    ],
    "es": [
        ("9 causas comunes del dolor de cabeza y cómo tratarlas", "dolor de cabeza"),
        ("Enfermedades que causan caída del cabello", "caída del cabello"),
        ("¿Qué causa el insomnio?", "insomnio"),
        ("Causas de la fiebre en niños", "fiebre"),
        ("Hormigueo en las manos: 5 posibles causas", "hormigueo en las manos"),
        ("¿Por qué me duele la rodilla? 6 causas", ""),
    ],
    "pt": [
        ("7 causas de tontura e o que fazer em cada caso", "tontura"),
        ("As 10 principais causas de dor nas costas", "dor nas costas"),
        ("O que causa a insônia?", "insônia"),
        ("Coceira: o que pode ser?", "coceira"),
        ("Por que meu joelho dói?", ""),
    ],
    "fr": [
        ("7 causes fréquentes de douleurs à la poitrine", "douleurs à la poitrine"),
        ("10 causes du mal de dos et leurs traitements", "mal de dos"),
        ("Qu’est-ce qui cause l’insomnie ?", "insomnie"),
        ("Causes de la fièvre chez l’enfant", "fièvre"),
        ("Toux sèche : quelles sont les causes ?", "toux sèche"),
        ("Pourquoi ai-je mal au genou ?", ""),
    ],
    "zh": [
        ("头晕的八个常见原因及治疗方法", "头晕"),
        ("引起背痛和腿无力的16种常见原因", "背痛和腿无力"),
        ("为什么总是失眠？四种疾病可能在作怪", "失眠"),
        ("腰痛是怎么回事？六种疾病要警惕", "腰痛"),
        ("慢性咳嗽的五個病因", "慢性咳嗽"),
    ],
}


def of_each(table: Mapping[str, Sequence[object]]) -> list[tuple[str, object]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_list(language: str) -> None:
    here, english = words_for(language).lists, words_for("en").lists
    assert set(english) <= set(here)
    assert all(here.values())


@pytest.mark.parametrize("language", sorted(known_languages()))
def test_no_expression_is_lost_in_a_hostile_line(language: str) -> None:
    words = words_for(language)
    for part in ["a", "a 1 ", " ", "的：", "newsletter médecin ", "causa de "]:
        text = part * (2000 // len(part))
        for name in words.lists:
            words.within(name, text)
            words.fills(name, text)
            words.opens(name, text + "!")


@pytest.mark.parametrize(("language", "text"), of_each(EMERGENCIES))
def test_emergencies_are_proposed_as_such(language: str, text: str) -> None:
    assert propose_urgency(text, words_for(language)) == Urgency.EMERGENCY


@pytest.mark.parametrize(("language", "text"), of_each(URGENT))
def test_urgent_signs_are_proposed_as_such(language: str, text: str) -> None:
    assert propose_urgency(text, words_for(language)) == Urgency.URGENT


@pytest.mark.parametrize(("language", "text"), of_each(NOT_URGENT))
def test_other_signs_are_for_a_doctor(language: str, text: str) -> None:
    assert propose_urgency(text, words_for(language)) == Urgency.SEE_A_DOCTOR


@pytest.mark.parametrize(("language", "line"), of_each(ANNOUNCED))
def test_a_title_says_what_is_listed(language: str, line: tuple[str, int]) -> None:
    text, expected = line
    words = words_for(language)
    assert (verdict(text, words) or int(words.within("list.asked", text))) == expected


@pytest.mark.parametrize(("language", "line"), of_each(HEADINGS))
def test_a_heading_says_what_stands_below(language: str, line: tuple[str, About]) -> None:
    text, expected = line
    assert about(text, words_for(language)) == expected


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("part", WORDINGS)
def test_the_many_ways_to_head_a_part_are_known(part: About, language: str) -> None:
    words = words_for(language)
    assert [heading for heading in WORDINGS[part][language] if about(heading, words) != part] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_many_ways_to_announce_a_treatment_are_known(language: str) -> None:
    words = words_for(language)
    assert [label for label in TREATMENTS[language] if not words.fills("label.treatment", label)] == []


@pytest.mark.parametrize(
    ("language", "name", "line"),
    [(language, name, line) for language, lists in LINES.items() for name, lines in lists.items() for line in lines],
)
def test_labels_and_furniture_are_known(language: str, name: str, line: str) -> None:
    assert words_for(language).fills(name, line.rstrip(" ?:"))


@pytest.mark.parametrize(("language", "line"), of_each(SENTENCES))
def test_what_an_article_says_is_no_furniture(language: str, line: str) -> None:
    words = words_for(language)
    assert [name for name in words.lists if name.startswith("furniture.") and words.fills(name, line)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_line_that_names_the_origin_is_read(language: str) -> None:
    words = words_for(language)
    said = words.groups("origin.lines", ORIGINS[language])
    assert said["title"]
    assert words.before("origin.name_end", said["name"]).rstrip(".") in ORIGINS[language]
    assert not words.groups("origin.lines", SENTENCES[language][0])


@pytest.mark.parametrize(("language", "line"), of_each(TOPICS))
def test_the_topic_is_taken_from_the_title(language: str, line: tuple[str, str]) -> None:
    title, topic = line
    # Which letters are capitals is a matter of the finder.
    assert find_topic(title, words_for(language)).casefold() == topic


BYLINES = {
    "de": ("Von Dr. Hanna Brückner und Jonas Feldkamp, 12. März 2020", ["Dr. Hanna Brückner", "Jonas Feldkamp"], 3),
    "es": ("Por Marta Olmedo y Luis Pérez | 12 de mayo de 2023", ["Marta Olmedo", "Luis Pérez"], 5),
    "pt": ("Por: Dra. Lúcia Monteiro e João Silva | 3 de outubro de 2022", ["Dra. Lúcia Monteiro", "João Silva"], 10),
    "fr": ("Par Claire Dumoulin et Paul Martin, le 21 août 2022", ["Claire Dumoulin", "Paul Martin"], 8),
    "zh": ("作者：林静和王芳 2021年9月3日", ["林静", "王芳"], 9),
}


@pytest.mark.parametrize("language", OTHERS)
def test_authors_and_months_are_read(language: str) -> None:
    line, names, month = BYLINES[language]
    words = words_for(language)
    said = words.before("byline.after_name", words.groups("byline.author", line)["name"])
    assert [words.before("byline.and", said), words.after("byline.and", said)] == names
    months = words.lists["byline.months"]
    assert len(months) == 12
    assert [number for number, name in enumerate(months, 1) if name.search(line)] == [month]


def test_traditional_characters_are_read_but_not_changed() -> None:
    said = words_for("zh-TW").groups("origin.lines", "本文轉載自健康電子報")
    assert said["name"] == "健康電子報"


def test_apostrophes_and_spaces_of_every_kind_are_alike() -> None:
    words = words_for("fr")
    assert words.within("heading.signs", "Signes d’alerte")
    assert words.within("heading.signs", "Signes d'alerte")
    assert words.fills("label.treatment", "que\u00a0faire")


def test_a_list_that_a_file_does_not_have_is_empty() -> None:
    words = words_for("en")
    assert not words.within("no.such_list", "causes")
    assert words.opens("no.such_list", "causes") == 0
    assert words.before("no.such_list", "causes") == "causes"
