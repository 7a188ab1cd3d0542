"""A text's language is told by its script, then by the characters or words only one language has."""

import pytest

from core.language import Language
from crawler.reading.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("这家公司发布了新模型", Language.ZH_HANS),
        ("這家公司發佈了新模型", Language.ZH_HANT),
        ("中文", Language.ZH_HANS),
        ("用 GPT-5 写代码", Language.ZH_HANS),
        ("DeepSeek版Claude Code", Language.ZH_HANS),
        ("The Huawei (华为) chip is made in Shenzhen and sold to the whole world", Language.EN),
        ("Nvidia halts H20 orders", Language.EN),
        ("China’s chip firms race to build café robots", Language.EN),
        ("新しいモデルを発表した会社", Language.OTHER),
        ("새로운 인공지능 모델을 발표했다", Language.OTHER),
        ("Новая модель искусственного интеллекта", Language.OTHER),
        ("Der Konzern hat ein neues Modell für die Industrie vorgestellt und verkauft es", Language.OTHER),
        ("Une entreprise pour les modèles qui parlent dans la langue", Language.OTHER),
        ("", Language.OTHER),
        ("12:30 !!!", Language.OTHER),
    ],
)
def test_the_language_of_a_text(text, language):
    assert detect(text) is language
